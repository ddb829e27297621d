package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.catalog.HiveTableRelation;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import org.apache.spark.sql.internal.SQLConf;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Informational unique constraints, declared in a table's properties: {@code 'sqlml.unique_keys' = 'faa; carrier,
 * tailnum'} are two keys, the second of two columns. Nobody checks them, as nobody checks a constraint of Spark's with
 * RELY.
 */
final class DeclaredKeys {
  private static final String PROPERTY = "sqlml.unique_keys";

  private DeclaredKeys() {}

  static List<Set<Attribute>> of(LogicalPlan plan) {
    List<Set<Attribute>> found = new ArrayList<>();
    properties(plan)
        .forEach(
            (name, value) -> {
              if (name.equalsIgnoreCase(PROPERTY)) {
                found.addAll(keys(value, CollectionConverters.asJava(plan.output())));
              }
            });
    return found;
  }

  private static Map<String, String> properties(LogicalPlan plan) {
    if (plan instanceof LogicalRelation relation && relation.catalogTable().isDefined()) {
      return properties(relation.catalogTable().get());
    }
    if (plan instanceof HiveTableRelation relation) {
      return properties(relation.tableMeta());
    }
    return plan instanceof DataSourceV2Relation relation ? relation.table().properties() : Map.of();
  }

  private static Map<String, String> properties(CatalogTable table) {
    return CollectionConverters.asJava(table.properties());
  }

  /** The keys whose columns all exist: a column that was renamed takes its key with it. */
  private static List<Set<Attribute>> keys(String declared, List<? extends Attribute> columns) {
    List<Set<Attribute>> found = new ArrayList<>();
    for (String key : parts(declared, ';')) {
      Set<Attribute> named = new LinkedHashSet<>();
      boolean whole = true;
      for (String name : parts(key, ',')) {
        Attribute column = column(name.strip(), columns);
        whole &= column != null && named.add(column);
      }
      if (whole) {
        found.add(named);
      }
    }
    return found;
  }

  static Attribute column(String text, List<? extends Attribute> columns) {
    String name = unquoted(text);
    for (Attribute column : columns) {
      if ((boolean) SQLConf.get().resolver().apply(column.name(), name)) {
        return column;
      }
    }
    return null;
  }

  static String unquoted(String name) {
    boolean quoted = name.length() > 1 && name.startsWith("`") && name.endsWith("`");
    return quoted ? name.substring(1, name.length() - 1).replace("``", "`") : name;
  }

  /** Between marks that do not stand in backquotes. */
  static List<String> parts(String text, char mark) {
    List<String> found = new ArrayList<>();
    boolean quoted = false;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      quoted ^= text.charAt(i) == '`';
      if (text.charAt(i) == mark && !quoted) {
        found.add(text.substring(start, i));
        start = i + 1;
      }
    }
    found.add(text.substring(start));
    return found;
  }
}
