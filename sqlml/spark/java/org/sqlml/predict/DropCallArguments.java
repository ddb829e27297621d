package org.sqlml.predict;

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.TreeTransform;

/** After the columns of a query have their names, what a call was given stays only where the model uses it. */
public final class DropCallArguments extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return plan.resolveExpressions(
        TreeTransform.by(node -> node instanceof PredictCall predicted && predicted.hasInputs() ? predicted.named() : null));
  }
}
