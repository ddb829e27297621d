package org.sqlml.common;

import org.apache.spark.package$;

/** The version of Spark that runs, which may be another than the one that this was compiled against. */
public final class SparkVersion {
  private SparkVersion() {}

  /** Whether it is older than the first release of a line. */
  public static boolean isBefore(int major, int minor) {
    return isBefore(package$.MODULE$.SPARK_VERSION(), major, minor);
  }

  static boolean isBefore(String version, int major, int minor) {
    String[] parts = version.split("\\.", 3);
    int first = Integer.parseInt(parts[0]);
    return first < major || first == major && Integer.parseInt(parts[1]) < minor;
  }
}
