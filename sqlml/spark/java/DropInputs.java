package org.sqlml;

import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;

/** After the columns of a query have their names, what a call was given stays only where the model uses it. */
final class DropInputs extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return plan.resolveExpressions(
        Changing.by(node -> node instanceof Predicted predicted && predicted.hasInputs() ? predicted.named() : null));
  }
}
