package org.sqlml.common;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A table of the Python package: hatch_build.py writes it into the jar, as a resource of the package org.sqlml. */
public final class ResourceTable {
  private ResourceTable() {}

  /** The words of every line of a file. */
  public static List<String[]> read(String file) {
    try (InputStream in = ResourceTable.class.getResourceAsStream("/org/sqlml/" + file);
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return lines.lines().filter(line -> !line.isBlank()).map(line -> line.strip().split(" ")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
