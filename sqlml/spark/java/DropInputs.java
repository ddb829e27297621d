package org.sqlml;

import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import scala.runtime.AbstractPartialFunction;

/** After the columns of a query have their names, what a call was given stays only where the model uses it. */
final class DropInputs extends Rule<LogicalPlan> {
  private static final AbstractPartialFunction<Expression, Expression> NAMED =
      new AbstractPartialFunction<>() {
        @Override
        public boolean isDefinedAt(Expression expression) {
          return expression instanceof Predicted predicted && predicted.hasInputs();
        }

        @Override
        public Expression apply(Expression expression) {
          return ((Predicted) expression).named();
        }
      };

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return plan.resolveExpressions(NAMED);
  }
}
