package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.PythonUDF;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Offset;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.Plans;
import org.sqlml.common.Seqs;
import org.sqlml.common.TreeTransform;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/**
 * Optimizer rule: late materialization above a top-n. ORDER BY a column that no model computes, LIMIT n: only n rows
 * are scored. Without this rule all rows would be, because a query's columns are computed below its sort.
 *
 * <pre>
 * GlobalLimit 10                                    GlobalLimit 10
 * +- LocalLimit 10                                  +- LocalLimit 10
 *    +- Sort [y]                              →        +- Project [y, predict(m, x) AS p]
 *       +- Project [y, predict(m, x) AS p]                +- Sort [y]
 *          +- Relation [x, y]                                +- Project [y, x]
 *                                                               +- Relation [x, y]
 * </pre>
 *
 * <p>The planner turns the right side into one TakeOrderedAndProject. If the prediction is a Python UDF, the projection
 * goes above the limits instead.
 *
 * <p>injectPreCBORule: the column pruning of the operator optimizations must be over, and PullOutPredictions comes
 * first: what a filter needs is computed for all rows anyway.
 */
public final class ScoreAfterLimit extends Rule<LogicalPlan> {
  private static final AbstractFunction1<Expression, Object> IN_PYTHON =
      new AbstractFunction1<>() {
        @Override
        public Object apply(Expression expression) {
          return expression instanceof PythonUDF;
        }
      };

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!PredictCalls.contains(plan)) {
      return plan;
    }
    return plan.transformDown(TreeTransform.by(node -> node instanceof GlobalLimit ? moved(node) : null));
  }

  /** Moves the predictions of Limit(Project?(Sort(Project))) above the sort; null where the plan has no such shape. */
  private static LogicalPlan moved(LogicalPlan top) {
    List<LogicalPlan> limits = new ArrayList<>();
    LogicalPlan under = top;
    while (under instanceof GlobalLimit || under instanceof LocalLimit || under instanceof Offset) {
      limits.add(under);
      under = under.children().head();
    }
    List<? extends NamedExpression> shown = CollectionConverters.asJava(under.output());
    if (under instanceof Project project) {
      shown = CollectionConverters.asJava(project.projectList());
      under = project.child();
    }
    if (!(under instanceof Sort sort && sort.global() && sort.child() instanceof Project scoring)) {
      return null;
    }
    List<NamedExpression> computed = new ArrayList<>();
    List<NamedExpression> kept = new ArrayList<>();
    for (NamedExpression one : CollectionConverters.asJava(scoring.projectList())) {
      Expression expression = (Expression) one;
      if (PredictCalls.contains(expression) && expression.deterministic()) {
        computed.add(one);
      } else {
        kept.add(one);
      }
    }
    boolean ordered = computed.stream().anyMatch(one -> sort.references().contains(one));
    if (computed.isEmpty() || ordered) {
      return null;
    }
    Set<Attribute> inputs = new LinkedHashSet<>();
    computed.forEach(one -> inputs.addAll(attributesOf((Expression) one)));
    kept.forEach(one -> inputs.removeIf(input -> input.exprId().equals(one.exprId())));
    kept.addAll(inputs);
    List<NamedExpression> columns = new ArrayList<>();
    for (NamedExpression one : shown) {
      columns.add(filled(one, computed));
    }
    LogicalPlan found = Plans.withChild(sort, Plans.project(kept, scoring.child()));
    // A Python UDF becomes a plan node between limit and sort, which TakeOrderedAndProject would not match.
    boolean outside = columns.stream().anyMatch(column -> ((Expression) column).exists(IN_PYTHON));
    found = outside ? found : Plans.project(columns, found);
    for (int i = limits.size() - 1; i >= 0; i--) {
      found = Plans.withChild(limits.get(i), found);
    }
    return outside ? Plans.project(columns, found) : found;
  }

  private static Set<Attribute> attributesOf(Expression expression) {
    Set<Attribute> found = new LinkedHashSet<>();
    for (Attribute attribute : CollectionConverters.asJava(expression.references().toSeq())) {
      found.add(attribute);
    }
    return found;
  }

  /** An output column, with each reference to a prediction replaced by the expression that computes it. */
  private static NamedExpression filled(NamedExpression column, List<NamedExpression> computed) {
    if (column instanceof AttributeReference) {
      for (NamedExpression one : computed) {
        if (one.exprId().equals(column.exprId())) {
          return one;
        }
      }
      return column;
    }
    Alias alias = (Alias) column;
    return (NamedExpression) alias.withNewChildren(Seqs.of(List.of(Plans.substituteAliases(alias.child(), computed))));
  }
}
