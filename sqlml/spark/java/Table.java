package org.sqlml;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A table of the Python package, which its build has written into the jar. */
final class Table {
  private Table() {}

  /** The words of every line of a file. */
  static List<String[]> read(String file) {
    try (InputStream in = Table.class.getResourceAsStream(file);
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      return lines.lines().filter(line -> !line.isBlank()).map(line -> line.strip().split(" ")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
