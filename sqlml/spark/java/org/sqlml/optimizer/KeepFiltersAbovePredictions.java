package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.catalog.HiveTableRelation;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.AttributeSet$;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Subquery;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.catalyst.trees.TreePattern;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import org.sqlml.common.Plans;
import org.sqlml.common.Seqs;
import org.sqlml.common.SparkVersion;
import org.sqlml.predict.PredictCall;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/**
 * Optimizer rule for Spark 4.0 and 4.1: prevents predicate pushdown of a filter on a prediction of ONNX Runtime through
 * the projection that makes it. These versions have no expensive expressions, so that PushPredicateThroughNonJoin would
 * replace the column in the filter by the call, and Python would score each row of the filter and then each row that
 * is left. As a nondeterministic column it stays where it is:
 *
 * <pre>
 * Filter (prediction > 1)                                 Filter (prediction > 1)
 * +- Project [x, predict(m, x) AS prediction]       →     +- Project [x, predict(m, x) AS prediction (in place)]
 *    +- Relation [x]                                         +- Relation [x]
 * </pre>
 *
 * <p>injectPreCBORule, the last one: no rule of ours shares or moves a call after it, and Spark pushes predicates once
 * more after its batch. What is compiled may be pushed: {@link KeepScoringProjection} restores its projection.
 */
public final class KeepFiltersAbovePredictions extends Rule<LogicalPlan> {
  /** Whether this Spark needs the rule. */
  public static final boolean IS_NEEDED = SparkVersion.isBefore(4, 2);

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    // A subquery is optimized before the plan around it. The outer rules must still find its expression deterministic,
    // so it is left alone.
    return PredictCalls.contains(plan) && !(plan instanceof Subquery) ? rewritten(plan, false) : plan;
  }

  /**
   * @param joined whether there is a join above: Spark may yet push a filter of its other side's keys down to the
   *     partitions of a table, which saves more than scoring once does
   */
  private static LogicalPlan rewritten(LogicalPlan node, boolean joined) {
    List<LogicalPlan> children = new ArrayList<>();
    CollectionConverters.asJava(node.children())
        .forEach(child -> children.add(rewritten(child, joined || node instanceof Join)));
    LogicalPlan changed = node.withNewChildren(Seqs.of(children));
    if (changed instanceof Filter filter && !(joined && mayBePartitioned(filter))) {
      LogicalPlan found = rewrittenBelow(filter, filter.child(), filter.condition().references());
      return found == null ? changed : found;
    }
    return changed;
  }

  private static boolean mayBePartitioned(LogicalPlan plan) {
    boolean own =
        plan instanceof DataSourceV2Relation
            || plan instanceof HiveTableRelation table && table.isPartitioned()
            || plan instanceof LogicalRelation relation
                && relation.relation() instanceof HadoopFsRelation files
                && !files.partitionSchema().isEmpty();
    return own
        || CollectionConverters.asJava(plan.children()).stream().anyMatch(KeepFiltersAbovePredictions::mayBePartitioned);
  }

  /** The operator over the plan below, in which calls behind the columns are in place; null if there are none. */
  private static LogicalPlan rewrittenBelow(LogicalPlan operator, LogicalPlan below, AttributeSet columns) {
    LogicalPlan changed = null;
    if (below instanceof Filter filter) {
      changed = rewrittenBelow(filter, filter.child(), columns);
    } else if (below instanceof Project project) {
      changed = rewrittenProject(project, columns);
    }
    return changed == null ? null : Plans.withChild(operator, changed);
  }

  private static LogicalPlan rewrittenProject(Project project, AttributeSet columns) {
    List<NamedExpression> list = new ArrayList<>(CollectionConverters.asJava(project.projectList()));
    AttributeSet further = AttributeSet$.MODULE$.empty();
    boolean found = false;
    for (int index = 0; index < list.size(); index++) {
      NamedExpression one = list.get(index);
      if (!columns.contains(one)) {
        continue;
      }
      further = further.$plus$plus(((Expression) one).references());
      if (one instanceof Alias alias && alias.deterministic() && scoresInPython(alias)) {
        list.set(index, (Alias) IN_PLACE.apply(alias));
        found = true;
      }
    }
    LogicalPlan changed = rewrittenBelow(project, project.child(), further);
    if (!found) {
      return changed;
    }
    return Plans.project(list, changed == null ? project.child() : changed.children().head());
  }

  private static boolean scoresInPython(Expression expression) {
    return PredictCalls.contains(expression) && expression.containsPattern(TreePattern.PYTHON_UDF());
  }

  /** Changes the outermost calls only: Spark finds equal Python functions by their arguments, which must not change. */
  private static final AbstractFunction1<Expression, Expression> IN_PLACE =
      new AbstractFunction1<>() {
        @Override
        public Expression apply(Expression expression) {
          if (expression instanceof PredictCall call) {
            return scoresInPython(call) ? call.inPlace() : call;
          }
          return (Expression) expression.mapChildren(this);
        }
      };
}
