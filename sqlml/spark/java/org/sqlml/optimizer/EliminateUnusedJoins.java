package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.IsNotNull;
import org.apache.spark.sql.catalyst.optimizer.ColumnPruning$;
import org.apache.spark.sql.catalyst.plans.Inner$;
import org.apache.spark.sql.catalyst.plans.JoinType;
import org.apache.spark.sql.catalyst.plans.LeftOuter$;
import org.apache.spark.sql.catalyst.plans.RightOuter$;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Offset;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.Seqs;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Optimizer rule: join elimination. A join that only brings columns that nobody takes, such as features that the model
 * does not use, is left out where it neither adds nor removes a row: an outer one where each row has one partner at
 * most (a unique key), an inner one where each row with a key has exactly one (a foreign key). In queries that call a
 * model; all others are Spark's.
 *
 * <pre>
 * Project [predict(m, x)]                            Project [predict(m, x)]
 * +- Join Inner, (origin = faa)                      +- Filter isnotnull(origin)
 *    :- Relation flights [x, origin]           →        +- Relation flights [x, origin]
 *    +- Relation airports [faa, altitude]
 * </pre>
 *
 * <p>injectPreCBORule, after {@link PruneModels}: only the pruned model tells which columns are used. Before Spark
 * reorders joins by cost, which would move the joins that are about to go.
 */
public final class EliminateUnusedJoins extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    // A join of two streams has state that a query finds again when it is started again.
    if (!PredictCalls.contains(plan) || plan.isStreaming()) {
      return plan;
    }
    LogicalPlan before = plan;
    LogicalPlan found = without(before, before.outputSet());
    while (found != before) {
      // The join's keys need not be read any more, nor joined for this alone.
      before = ColumnPruning$.MODULE$.apply(found);
      found = without(before, before.outputSet());
    }
    return found;
  }

  /** The plan whose output is taken as far as it is among some attributes. */
  private static LogicalPlan without(LogicalPlan plan, AttributeSet taken) {
    if (plan instanceof Join join && join.condition().isDefined()) {
      LogicalPlan found = without(join, join.left(), join.right(), LeftOuter$.MODULE$, taken);
      found = found != null ? found : without(join, join.right(), join.left(), RightOuter$.MODULE$, taken);
      if (found != null) {
        return found;
      }
    }
    AttributeSet needed = null; // all that the children have
    if (plan instanceof Project || plan instanceof Aggregate) {
      needed = plan.references();
    } else if (plan instanceof Join || passesOn(plan)) {
      needed = taken.$plus$plus(plan.references());
    }
    List<LogicalPlan> children = new ArrayList<>();
    boolean changed = false;
    for (LogicalPlan child : CollectionConverters.asJava(plan.children())) {
      LogicalPlan found = without(child, needed == null ? child.outputSet() : needed);
      changed |= found != child;
      children.add(found);
    }
    return changed ? plan.withNewChildren(Seqs.of(children)) : plan;
  }

  /** One side of a join; null where the other one is needed. */
  private static LogicalPlan without(
      Join join, LogicalPlan kept, LogicalPlan other, JoinType outer, AttributeSet taken) {
    Expression condition = join.condition().get();
    boolean inner = join.joinType() == Inner$.MODULE$;
    if (!inner && join.joinType() != outer
        || !other.outputSet().intersect(taken).isEmpty()
        || !UniqueKeys.meetsOneAtMost(condition, kept, other)) {
      return null;
    }
    if (!inner) {
      return without(kept, taken);
    }
    List<Attribute> keys = ForeignKeys.referring(condition, kept, other);
    return keys == null ? null : present(keys, without(kept, taken.$plus$plus(condition.references())));
  }

  /** The rows of a plan that have all of some columns. */
  private static LogicalPlan present(List<Attribute> columns, LogicalPlan plan) {
    LogicalPlan found = plan;
    for (Attribute column : columns) {
      IsNotNull there = new IsNotNull((Expression) column);
      if (column.nullable() && !found.constraints().contains(there)) {
        found = new Filter(there, found);
      }
    }
    return found;
  }

  /** Operators that pass their input's columns on unchanged. */
  private static boolean passesOn(LogicalPlan plan) {
    return plan instanceof Filter
        || plan instanceof Sort
        || plan instanceof LocalLimit
        || plan instanceof GlobalLimit
        || plan instanceof Offset;
  }
}
