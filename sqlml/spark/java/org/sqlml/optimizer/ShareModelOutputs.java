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
 * Optimizer rule: common subexpression elimination within an operator. Where it takes several outputs of a compiled
 * model for the same columns, as by PREDICT and PREDICT_PROBA, each of the calls asks for all of them: so they are
 * equal, and Spark's subexpression elimination evaluates the model once a row.
 *
 * <pre>
 * Project [output 0 of m(x) computing {0},          Project [output 0 of m(x) computing {0, 1},
 *          output 1 of m(x) computing {1}]    →              output 1 of m(x) computing {0, 1}]
 * +- Relation [x]                                   +- Relation [x]
 * </pre>
 *
 * <p>injectPreCBORule, after the rules that move calls between operators and prune models: the outputs to compute are
 * known then. {@link KeepScoringProjection} does the same for the operators that it makes.
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
