package org.sqlml.optimizer;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.QueryPlan;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.TreeTransform;
import org.sqlml.expressions.CompiledModel;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Where one operator takes several numbers of a compiled model for the same columns, as by PREDICT and PREDICT_PROBA, each
 * of them asks for all: so they are equal, and Spark computes what is equal once a row.
 */
public final class ShareModelOutputs extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return plan.transformUp(TreeTransform.by(ShareModelOutputs::shared));
  }

  static <P extends QueryPlan<P>> P shared(P operator) {
    Map<Expression, Set<Integer>> wanted = new HashMap<>();
    CollectionConverters.asJava(operator.expressions()).forEach(expression -> collect(expression, wanted));
    if (wanted.isEmpty()) {
      return operator;
    }
    @SuppressWarnings("unchecked")
    P changed =
        (P) operator.transformExpressionsUp(
            TreeTransform.by(node -> node instanceof CompiledModel model ? model.wanting(wanted.get(model.rows())) : null));
    return changed;
  }

  private static void collect(Expression expression, Map<Expression, Set<Integer>> wanted) {
    if (expression instanceof CompiledModel model) {
      wanted.computeIfAbsent(model.rows(), none -> new TreeSet<>()).addAll(model.wanted());
    }
    CollectionConverters.asJava(expression.children()).forEach(child -> collect(child, wanted));
  }
}
