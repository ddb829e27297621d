package org.sqlml.optimizer;

import java.util.function.UnaryOperator;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.ColumnarRule;
import org.apache.spark.sql.execution.SparkPlan;
import org.sqlml.common.TreeTransform;

/**
 * A rule over planned operators, from the leaves up.
 *
 * <p>injectColumnar (preColumnarTransitions) is the one hook that sees every physical plan: those of adaptive execution
 * (injectQueryStagePrepRule and its like) are not asked where that is switched off, and a strategy of the planner
 * (injectPlannerStrategy) would have to plan the operators itself.
 */
public final class PhysicalRule extends ColumnarRule {
  private final UnaryOperator<SparkPlan> change;

  /** @param change says null where an operator stays as it is */
  public PhysicalRule(UnaryOperator<SparkPlan> change) {
    this.change = change;
  }

  @Override
  public Rule<SparkPlan> preColumnarTransitions() {
    return new Rule<>() {
      @Override
      public SparkPlan apply(SparkPlan plan) {
        return (SparkPlan) plan.transformUp(TreeTransform.by(change));
      }
    };
  }
}
