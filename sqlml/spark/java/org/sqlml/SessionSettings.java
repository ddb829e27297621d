package org.sqlml;

import java.util.Arrays;
import org.apache.spark.sql.internal.SQLConf$;
import org.sqlml.common.ResourceTable;
import scala.runtime.AbstractFunction1;

/**
 * The settings of sqlml that SET can change, registered with Spark, so that Spark refuses an invalid value at SET. An
 * unknown setting would take any value, and the next query would fail.
 */
final class SessionSettings {
  private SessionSettings() {}

  /** Registers them. The registry belongs to the JVM: whatever is there already stays. */
  static synchronized void register() {
    for (String[] setting : ResourceTable.read("session_settings.txt")) {
      String key = setting[0];
      String pattern = setting[1];
      String needed = String.join(" ", Arrays.copyOfRange(setting, 2, setting.length));
      if (!SQLConf$.MODULE$.containsConfigKey(key)) {
        SQLConf$.MODULE$
            .buildConf(key)
            .doc("A setting of sqlml: " + needed + ".")
            .stringConf()
            .checkValue(valid(pattern), "It must be " + needed + ".")
            .createOptional();
      }
    }
  }

  /** Spark also checks the default of whoever reads the setting, which is empty. */
  private static AbstractFunction1<String, Object> valid(String pattern) {
    return new AbstractFunction1<>() {
      @Override
      public Object apply(String value) {
        return value.isBlank() || value.strip().matches(pattern);
      }
    };
  }
}
