package org.sqlml;

import org.apache.spark.sql.internal.SQLConf$;
import org.sqlml.common.ResourceTable;

/**
 * sqlml's static settings, registered with Spark, so that Spark refuses to SET or RESET them in a session. Spark takes
 * an unknown setting without a word, and it would have no effect.
 */
final class StaticSettings {
  private StaticSettings() {}

  /** Registers them. The registry belongs to the JVM: whatever is there already stays. */
  static synchronized void register() {
    for (String[] setting : ResourceTable.read("static_settings.txt")) {
      if (!SQLConf$.MODULE$.isStaticConfigKey(setting[0])) {
        SQLConf$.MODULE$
            .buildStaticConf(setting[0])
            .doc("A static setting of sqlml. Its README lists the values.")
            .stringConf()
            .createOptional();
      }
    }
  }
}
