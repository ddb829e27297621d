package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.UnaryNode;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.Plans;
import org.sqlml.common.TreeTransform;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/**
 * Optimizer rule: conditional evaluation for Python functions. Python scores all rows of a batch before the expression
 * around the call decides for which rows the call is made. So a call in a branch of CASE, IF, COALESCE, AND and OR gets
 * arguments that are computed for the rows of that branch alone, where they can fail:
 *
 * <pre>
 * Project [CASE WHEN id != 0                        Project [CASE WHEN id != 0
 *          THEN predict(m, 1 / id) END]       →              THEN predict(m, IF(id != 0, 1 / id, NULL)) END]
 * +- Relation [id]                                  +- Relation [id]
 * </pre>
 *
 * <p>injectPreCBORule, after the rules that share calls, which must find equal arguments equal. The batch runs once; a
 * fixed point, as of injectOptimizerRule, would guard the guarded arguments again. Spark extracts Python functions
 * later.
 */
public final class GuardArguments extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return PredictCalls.contains(plan) ? plan.transformUp(TreeTransform.by(GuardArguments::guarded)) : plan;
  }

  private static LogicalPlan guarded(LogicalPlan node) {
    if (PredictCalls.of(node).isEmpty()) {
      return null;
    }
    List<Alias> drawn = new ArrayList<>();
    GuardedBranches branches = new GuardedBranches(node instanceof UnaryNode ? drawn : null);
    LogicalPlan changed =
        (LogicalPlan)
            node.mapExpressions(
                new AbstractFunction1<Expression, Expression>() {
                  @Override
                  public Expression apply(Expression expression) {
                    return branches.guarded(expression, null);
                  }
                });
    if (drawn.isEmpty()) {
      return changed.fastEquals(node) ? null : changed;
    }
    LogicalPlan child = node.children().head();
    List<NamedExpression> below = new ArrayList<>(CollectionConverters.asJava(child.output()));
    below.addAll(drawn);
    LogicalPlan above = Plans.withChild(changed, Plans.project(below, child));
    // A filter passes on what stands below it, which now is more.
    return above.output().equals(node.output())
        ? above
        : Plans.project(CollectionConverters.asJava(node.output()), above);
  }
}
