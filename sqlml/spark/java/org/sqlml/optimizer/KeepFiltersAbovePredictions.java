package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.AttributeSet$;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.catalyst.trees.TreePattern;
import org.sqlml.common.Plans;
import org.sqlml.common.SparkVersion;
import org.sqlml.common.TreeTransform;
import org.sqlml.predict.PredictCall;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;

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
    return PredictCalls.contains(plan)
        ? plan.transformUp(
            TreeTransform.by(
                node ->
                    node instanceof Filter filter
                        ? kept(filter, filter.child(), filter.condition().references())
                        : null))
        : plan;
  }

  /** The operator over the plan below, in which calls behind the columns are in place; null if there are none. */
  private static LogicalPlan kept(LogicalPlan operator, LogicalPlan below, AttributeSet columns) {
    LogicalPlan changed = null;
    if (below instanceof Filter filter) {
      changed = kept(filter, filter.child(), columns);
    } else if (below instanceof Project project) {
      changed = kept(project, columns);
    }
    return changed == null ? null : Plans.withChild(operator, changed);
  }

  private static LogicalPlan kept(Project project, AttributeSet columns) {
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
        list.set(index, (Alias) alias.transformUp(TreeTransform.by(KeepFiltersAbovePredictions::inPlace)));
        found = true;
      }
    }
    LogicalPlan changed = kept(project, project.child(), further);
    if (!found) {
      return changed;
    }
    return Plans.project(list, changed == null ? project.child() : changed.children().head());
  }

  private static boolean scoresInPython(Expression expression) {
    return PredictCalls.contains(expression) && expression.containsPattern(TreePattern.PYTHON_UDF());
  }

  private static Expression inPlace(Expression expression) {
    return expression instanceof PredictCall call && scoresInPython(call) ? call.inPlace() : null;
  }
}
