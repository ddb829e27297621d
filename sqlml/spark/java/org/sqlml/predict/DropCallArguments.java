package org.sqlml.predict;

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.TreeTransform;

/**
 * Analyzer rule: column pruning for arguments. A call carries all that the user wrote, because the header of its column
 * shows it. Once columns have their names, only the features that the model uses stay.
 *
 * <pre>
 * Project [predict[m](x) written as predict(m, x, y) AS predict(m, x, y)]      Project [predict[m](x) AS predict(m, x, y)]
 * +- Relation [x, y]                                                      →    +- Relation [x, y]
 * </pre>
 *
 * <p>injectPostHocResolutionRule: the resolution batch, which names columns, is over by then, and whoever reads the
 * analysed plan sees the columns that are used: the optimizer, the cache, lineage. An optimizer rule could be excluded,
 * and y would be read for nothing.
 */
public final class DropCallArguments extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!PredictCalls.mayContain(plan)) {
      return plan;
    }
    return plan.resolveExpressions(
        TreeTransform.by(node -> node instanceof PredictCall predicted && predicted.hasInputs() ? predicted.named() : null));
  }
}
