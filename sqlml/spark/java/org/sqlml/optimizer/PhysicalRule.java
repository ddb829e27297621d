package org.sqlml.optimizer;

import java.util.function.UnaryOperator;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.ColumnarRule;
import org.apache.spark.sql.execution.SparkPlan;
import org.sqlml.common.TreeTransform;

/** A change of operators that are planned, from the leaves up. Spark has one place for such rules, whatever they are of. */
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
