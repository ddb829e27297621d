package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.catalog.HiveTableRelation;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.IsNotNull;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Offset;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.sqlml.common.Plans;
import org.sqlml.common.TreeTransform;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Informational foreign keys, declared in a table's properties: {@code 'sqlml.foreign_keys' = 'origin REFERENCES
 * airports (faa)'} says that each row with an origin has a row in airports. Nobody checks them; see {@link
 * DeclaredKeys}.
 */
final class ForeignKeys {
  private static final String PROPERTY = "sqlml.foreign_keys";
  private static final String NAME = "(?:`(?:[^`]++|``)++`|[^\\s`.,;()]++)";
  private static final String NAMES = NAME + "(?:\\s*,\\s*" + NAME + ")*";
  private static final Pattern KEY =
      Pattern.compile(
          "(" + NAMES + "|\\(\\s*" + NAMES + "\\s*\\))\\s*\\bREFERENCES\\s+"
              + "(" + NAME + "(?:\\." + NAME + ")*)\\s*\\(\\s*(" + NAMES + ")\\s*\\)",
          Pattern.CASE_INSENSITIVE);
  /** In characters: Java's patterns take a stack frame for each name of a list. */
  private static final int LONGEST = 1_000;

  private static final Pattern ONE_NAME = Pattern.compile(NAME);

  /** Options of a query's table that do not change which rows it has. */
  private static final Set<String> PLACE = Set.of("path", "serialization.format");

  private record Key(List<String> columns, List<String> table, List<String> referred) {}

  /** The column of a table that a plan passes on. */
  private record Origin(LogicalPlan table, ExprId column) {}

  private ForeignKeys() {}

  /**
   * The columns of one side of an inner join: a row that has them all has a partner on the other side. Null where nobody
   * says so, or the condition asks for more.
   */
  static List<Attribute> referring(Expression condition, LogicalPlan side, LogicalPlan other) {
    List<Attribute> columns = new ArrayList<>();
    Map<ExprId, Attribute> partners = new HashMap<>();
    Map<ExprId, ExprId> compared = new HashMap<>();
    LogicalPlan table = null;
    LogicalPlan referred = null;
    for (Expression one : Plans.conjuncts(condition)) {
      if (!(one instanceof EqualTo same)) {
        return null;
      }
      boolean turned = same.left().references().subsetOf(other.outputSet());
      Attribute column = key(turned ? same.right() : same.left());
      Attribute partner = key(turned ? same.left() : same.right());
      Origin from = column == null ? null : origin(side, column.exprId());
      Origin to = partner == null ? null : origin(other, partner.exprId());
      if (from == null || to == null || table != null && (table != from.table() || referred != to.table())) {
        return null;
      }
      table = from.table();
      referred = to.table();
      columns.add(column);
      partners.put(to.column(), column);
      if (!to.column().equals(compared.getOrDefault(from.column(), to.column()))) {
        return null;
      }
      compared.put(from.column(), to.column());
    }
    return isDeclared(table, referred, compared) && isWhole(other, partners, side) ? columns : null;
  }

  /** A column of a type in which what is equal is the same, maybe as a wider number; null for all else. */
  private static Attribute key(Expression compared) {
    boolean exact =
        UniqueKeys.column(compared) instanceof Attribute column
            && ColumnDomains.plain(column.dataType())
            && !(column.dataType() instanceof DoubleType || column.dataType() instanceof FloatType);
    return exact ? (Attribute) UniqueKeys.column(compared) : null;
  }

  /** Null where the values may come from elsewhere too. */
  private static Origin origin(LogicalPlan plan, ExprId id) {
    if (catalogTable(plan) != null) {
      boolean own = CollectionConverters.asJava(plan.output()).stream().anyMatch(one -> one.exprId().equals(id));
      return own ? new Origin(plan, id) : null;
    }
    if (plan instanceof Project project) {
      return renamed(project.projectList(), project.child(), id);
    }
    if (plan instanceof Aggregate groups) {
      return renamed(groups.aggregateExpressions(), groups.child(), id);
    }
    if (plan instanceof Filter
        || plan instanceof Join
        || plan instanceof Sort
        || plan instanceof LocalLimit
        || plan instanceof GlobalLimit
        || plan instanceof Offset) {
      for (LogicalPlan child : CollectionConverters.asJava(plan.children())) {
        Origin found = origin(child, id);
        if (found != null) {
          return found;
        }
      }
    }
    return null;
  }

  private static Origin renamed(Seq<NamedExpression> list, LogicalPlan child, ExprId id) {
    for (NamedExpression one : CollectionConverters.asJava(list)) {
      Expression value = Plans.withoutAlias(one);
      if (one.exprId().equals(id)) {
        return value instanceof Attribute column ? origin(child, column.exprId()) : null;
      }
    }
    return null;
  }

  // -- what is declared ------------------------------------------------------------------------------------------------

  private static boolean isDeclared(LogicalPlan table, LogicalPlan referred, Map<ExprId, ExprId> compared) {
    CatalogTable from = catalogTable(table);
    CatalogTable to = catalogTable(referred);
    for (Map.Entry<String, String> property : CollectionConverters.asJava(from.properties()).entrySet()) {
      if (property.getKey().equalsIgnoreCase(PROPERTY)) {
        for (Key key : keys(property.getValue())) {
          if (isNamed(key.table(), to.identifier(), from.identifier()) && compared.equals(columns(key, table, referred))) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /** The declared keys; a text that cannot be parsed is no key. */
  private static List<Key> keys(String declared) {
    List<Key> found = new ArrayList<>();
    for (String part : DeclaredKeys.parts(declared, ';')) {
      Matcher key = KEY.matcher(part.strip());
      if (part.length() <= LONGEST && key.matches()) {
        found.add(new Key(names(key.group(1)), names(key.group(2)), names(key.group(3))));
      }
    }
    return found;
  }

  private static List<String> names(String text) {
    return ONE_NAME.matcher(text).results().map(one -> one.group()).toList();
  }

  /** Null where one of the columns is gone, or they are not as many as it refers to. */
  private static Map<ExprId, ExprId> columns(Key key, LogicalPlan table, LogicalPlan referred) {
    if (key.columns().size() != key.referred().size()) {
      return null;
    }
    Map<ExprId, ExprId> found = new HashMap<>();
    for (int i = 0; i < key.columns().size(); i++) {
      Attribute from = DeclaredKeys.column(key.columns().get(i), CollectionConverters.asJava(table.output()));
      Attribute to = DeclaredKeys.column(key.referred().get(i), CollectionConverters.asJava(referred.output()));
      if (from == null || to == null) {
        return null;
      }
      found.put(from.exprId(), to.exprId());
    }
    return found;
  }

  /** Whether a table is called so, beside the table that names it: in its database, and in its catalog. */
  private static boolean isNamed(List<String> name, TableIdentifier table, TableIdentifier beside) {
    List<String> all = CollectionConverters.asJava(table.nameParts());
    List<String> whole = new ArrayList<>(CollectionConverters.asJava(beside.nameParts()));
    if (all.size() != whole.size() || name.size() > all.size()) {
      return false;
    }
    for (int i = 0; i < name.size(); i++) {
      whole.set(all.size() - name.size() + i, DeclaredKeys.unquoted(name.get(i)));
    }
    for (int i = 0; i < all.size(); i++) {
      if (!(boolean) SQLConf.get().resolver().apply(all.get(i), whole.get(i))) {
        return false;
      }
    }
    return true;
  }

  // -- whether the other side has all rows -----------------------------------------------------------------------------

  private static CatalogTable catalogTable(LogicalPlan plan) {
    if (plan instanceof HiveTableRelation hive) {
      return hive.tableMeta();
    }
    return plan instanceof LogicalRelation relation && relation.catalogTable().isDefined()
        ? relation.catalogTable().get()
        : null;
  }

  /**
   * Whether a plan gives all rows of its table that some row of the side refers to.
   *
   * @param partners for columns of the table, what each is compared with
   */
  private static boolean isWhole(LogicalPlan plan, Map<ExprId, Attribute> partners, LogicalPlan side) {
    if (plan instanceof Project project) {
      return isWhole(project.child(), partners, side);
    }
    if (plan instanceof Filter filter) {
      return Plans.conjuncts(filter.condition()).stream().allMatch(one -> passes(one, partners, side))
          && isWhole(filter.child(), partners, side);
    }
    return catalogTable(plan) != null && (!(plan instanceof LogicalRelation relation) || asItIs(relation));
  }

  /** Spark filters either side by what the other one is filtered by, where they are compared. */
  private static boolean passes(Expression condition, Map<ExprId, Attribute> partners, LogicalPlan side) {
    if (condition instanceof IsNotNull there && there.child() instanceof Attribute column) {
      return partners.containsKey(column.exprId()); // no row refers to one without
    }
    boolean known = condition.deterministic() && !condition.references().isEmpty();
    for (Attribute read : CollectionConverters.asJava(condition.references().toSeq())) {
      Attribute partner = partners.get(read.exprId());
      known &= partner != null && partner.dataType().equals(read.dataType());
    }
    if (!known) {
      return false;
    }
    Expression required =
        condition.transform(
            TreeTransform.by(node -> node instanceof Attribute read ? (Expression) partners.get(read.exprId()) : null));
    return side.constraints().contains(required);
  }

  /** Without options of the query's own, such as one that leaves out files. */
  private static boolean asItIs(LogicalRelation relation) {
    if (!(relation.relation() instanceof HadoopFsRelation files)) {
      return false;
    }
    Map<String, String> own = new HashMap<>();
    CollectionConverters.asJava(relation.catalogTable().get().storage().properties())
        .forEach((name, value) -> own.put(name.toLowerCase(Locale.ROOT), value));
    return CollectionConverters.asJava(files.options()).entrySet().stream()
        .allMatch(
            option -> {
              String name = option.getKey().toLowerCase(Locale.ROOT);
              return PLACE.contains(name) || option.getValue().equals(own.get(name));
            });
  }
}
