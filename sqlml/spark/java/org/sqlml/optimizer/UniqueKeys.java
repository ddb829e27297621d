package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.EqualNullSafe;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.Inner$;
import org.apache.spark.sql.catalyst.plans.LeftAnti$;
import org.apache.spark.sql.catalyst.plans.LeftOuter$;
import org.apache.spark.sql.catalyst.plans.LeftSemi$;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.sqlml.common.Plans;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Candidate keys of a plan's output: columns in which no two rows are equal, by the plan's operators or by declaration.
 */
final class UniqueKeys {
  private static final List<DataType> WHOLE =
      List.of(DataTypes.ByteType, DataTypes.ShortType, DataTypes.IntegerType, DataTypes.LongType);

  /**
   * Some columns.
   *
   * @param nulls whether NULL is a value as any other; otherwise rows with one are not compared, as UNIQUE has it
   */
  private record Key(Set<ExprId> columns, boolean nulls) {}

  private UniqueKeys() {}

  /** Whether a row of the one side meets one row of the other side at most, whatever else the condition says. */
  static boolean meetsOneAtMost(Expression condition, LogicalPlan side, LogicalPlan other) {
    Map<ExprId, Boolean> equal = new HashMap<>();
    for (Expression one : Plans.conjuncts(condition)) {
      if (one instanceof EqualTo same) {
        add(equal, same.left(), same.right(), side, other, false);
        add(equal, same.right(), same.left(), side, other, false);
      } else if (one instanceof EqualNullSafe same) {
        add(equal, same.left(), same.right(), side, other, true);
        add(equal, same.right(), same.left(), side, other, true);
      }
    }
    for (Key key : of(other)) {
      boolean held = equal.keySet().containsAll(key.columns());
      if (held && (key.nulls() || key.columns().stream().noneMatch(equal::get))) {
        return true;
      }
    }
    return false;
  }

  /** The column of the other side that a row's value is compared with, and whether NULL meets NULL there. */
  private static void add(
      Map<ExprId, Boolean> equal,
      Expression value,
      Expression compared,
      LogicalPlan side,
      LogicalPlan other,
      boolean nulls) {
    if (column(compared) instanceof Attribute attribute
        && other.outputSet().contains(attribute)
        && value.deterministic()
        && value.references().subsetOf(side.outputSet())) {
      equal.merge(attribute.exprId(), nulls && attribute.nullable(), Boolean::logicalAnd);
    }
  }

  /** A compared expression without widening casts, which are injective for whole numbers. */
  static Expression column(Expression compared) {
    Expression column = compared;
    while (column instanceof Cast cast && keepsApart(cast)) {
      column = cast.child();
    }
    return column;
  }

  /** To a wider whole number: no two values become one. */
  private static boolean keepsApart(Cast cast) {
    int from = WHOLE.indexOf(cast.child().dataType());
    return from >= 0 && from <= WHOLE.indexOf(cast.dataType());
  }

  private static List<Key> of(LogicalPlan plan) {
    List<Key> found = new ArrayList<>();
    // GROUP BY, DISTINCT and what Spark concludes from them.
    for (var expressions : CollectionConverters.asJava(plan.distinctKeys())) {
      Set<ExprId> columns = new LinkedHashSet<>();
      boolean plain = true;
      for (Expression expression : CollectionConverters.asJava(expressions.toSeq())) {
        plain &= expression instanceof Attribute;
        if (expression instanceof Attribute attribute) {
          columns.add(attribute.exprId());
        }
      }
      if (plain) {
        found.add(new Key(columns, true));
      }
    }
    for (Set<Attribute> declared : DeclaredKeys.of(plan)) {
      Set<ExprId> columns = new LinkedHashSet<>();
      declared.forEach(column -> columns.add(column.exprId()));
      found.add(new Key(columns, false));
    }
    if (plan instanceof Project project) {
      found.addAll(renamed(of(project.child()), project.projectList()));
    } else if (plan instanceof Aggregate aggregate) {
      found.addAll(renamed(groups(aggregate), aggregate.aggregateExpressions()));
    } else if (plan instanceof Filter
        || plan instanceof Sort
        || plan instanceof LocalLimit
        || plan instanceof GlobalLimit) {
      found.addAll(of(plan.children().head()));
    } else if (plan instanceof Join join && keepsLeft(join)) {
      found.addAll(of(join.left()));
    }
    return found;
  }

  /** Each row of the left side is there once at most. */
  private static boolean keepsLeft(Join join) {
    if (join.joinType() == LeftSemi$.MODULE$ || join.joinType() == LeftAnti$.MODULE$) {
      return true;
    }
    return (join.joinType() == Inner$.MODULE$ || join.joinType() == LeftOuter$.MODULE$)
        && join.condition().isDefined()
        && meetsOneAtMost(join.condition().get(), join.left(), join.right());
  }

  /** What a constant is beside: of groups by a column and a constant, Spark says nothing. */
  private static List<Key> groups(Aggregate aggregate) {
    Set<ExprId> columns = new HashSet<>();
    for (Expression group : CollectionConverters.asJava(aggregate.groupingExpressions())) {
      if (group instanceof Attribute attribute) {
        columns.add(attribute.exprId());
      } else if (!group.foldable()) {
        return List.of();
      }
    }
    return List.of(new Key(columns, true));
  }

  /** The keys of which a list of columns has all parts, under the names that they have there. */
  private static List<Key> renamed(List<Key> keys, Seq<NamedExpression> list) {
    Map<ExprId, ExprId> names = new HashMap<>();
    for (NamedExpression one : CollectionConverters.asJava(list)) {
      Expression column = Plans.withoutAlias(one);
      if (column instanceof Attribute attribute) {
        names.putIfAbsent(attribute.exprId(), one.exprId());
      }
    }
    List<Key> found = new ArrayList<>();
    for (Key key : keys) {
      if (names.keySet().containsAll(key.columns())) {
        Set<ExprId> columns = new HashSet<>();
        key.columns().forEach(column -> columns.add(names.get(column)));
        found.add(new Key(columns, key.nulls()));
      }
    }
    return found;
  }
}
