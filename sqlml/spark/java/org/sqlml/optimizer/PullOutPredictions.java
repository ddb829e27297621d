package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.Inner$;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.UnaryNode;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.Plans;
import org.sqlml.common.Seqs;
import org.sqlml.common.TreeTransform;
import org.sqlml.predict.PredictCall;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Optimizer rule: common subexpression elimination across operators. A call that a filter makes, and that an operator
 * above makes again, becomes a column below the filter, as PullOutNondeterministic does it in analysis: the model is
 * evaluated once a row. So do two calls of one compiled model for the same columns, as PREDICT above a filter on
 * PREDICT_PROBA. Conditions without a model go into a filter of their own below, so that they are evaluated first.
 *
 * <pre>
 * Project [predict(m, x) AS p]                      Project [prediction AS p]
 * +- Filter (y = 2 AND predict(m, x) > 1)     →     +- Filter (prediction > 1)
 *    +- Relation [x, y]                                +- Project [x, y, predict(m, x) AS prediction]
 *                                                         +- Filter (y = 2)
 *                                                            +- Relation [x, y]
 * </pre>
 *
 * <p>injectPreCBORule: among the operator optimizations (injectOptimizerRule) predicate pushdown and CollapseProject
 * would undo it, and it them, without end. The rules after it rely on its projections.
 */
public final class PullOutPredictions extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!PredictCalls.contains(plan)) {
      return plan;
    }
    return plan.transformUp(
        TreeTransform.by(
            node ->
                node instanceof UnaryNode && !PredictCalls.of(node).isEmpty()
                    ? shared(node instanceof Filter filter ? cheapFirst(filter) : node)
                    : null));
  }

  private static Filter cheapFirst(Filter filter) {
    List<Expression> cheap = new ArrayList<>();
    List<Expression> asking = new ArrayList<>();
    for (Expression one : Plans.conjuncts(filter.condition())) {
      (PredictCalls.contains(one) ? asking : cheap).add(one);
    }
    if (cheap.isEmpty() || !filter.condition().deterministic()) {
      return filter;
    }
    return new Filter(Plans.conjunction(asking), new Filter(Plans.conjunction(cheap), filter.child()));
  }

  private static LogicalPlan shared(LogicalPlan node) {
    LogicalPlan found = node;
    for (PredictCall call : PredictCalls.of(node)) {
      Column below = call.deterministic() ? column(found.children().head(), call) : null;
      if (below != null) {
        found = Plans.withChild(found.transformExpressions(Plans.replace(call, below.name())), below.plan());
      }
    }
    // A filter passes on what stands below it, which now is more.
    return found.output().equals(node.output()) ? found : Plans.project(attributes(node), found);
  }

  /** A plan with a column for a call, and that column. */
  private record Column(LogicalPlan plan, Attribute name) {}

  /**
   * The plan with a column for the call; null where nothing below makes it. Between here and there a row must stay the
   * row that it is: what an outer join adds was never scored.
   */
  private static Column column(LogicalPlan plan, Expression call) {
    if (plan instanceof Filter filter) {
      for (PredictCall inCondition : PredictCalls.computableBefore(filter.condition())) {
        if (PredictCalls.canShare(inCondition, call)) {
          return beside(filter, inCondition, call);
        }
      }
      Column below = column(filter.child(), call);
      return below == null ? null : new Column(Plans.withChild(filter, below.plan()), below.name());
    }
    if (plan instanceof Project project) {
      return column(project, call);
    }
    if (plan instanceof Join join && join.joinType() == Inner$.MODULE$) {
      boolean left = call.references().subsetOf(join.left().outputSet());
      LogicalPlan side = left ? join.left() : join.right();
      Column below = call.references().subsetOf(side.outputSet()) ? column(side, call) : null;
      if (below != null) {
        List<LogicalPlan> sides = left ? List.of(below.plan(), join.right()) : List.of(join.left(), below.plan());
        return new Column(join.withNewChildren(Seqs.of(sides)), below.name());
      }
    }
    return null;
  }

  /** A call in a filter, and the call above it, as columns below the filter. */
  private static Column beside(Filter filter, PredictCall inCondition, Expression call) {
    Alias made = PredictCalls.alias(call);
    Alias name = inCondition.semanticEquals(call) ? made : PredictCalls.alias(inCondition);
    LogicalPlan below = with(filter.child(), call, made);
    if (name != made) {
      below = with(below, inCondition, name);
    }
    Expression condition =
        (Expression) filter.condition().transformDown(Plans.replace(inCondition, name.toAttribute()));
    return new Column(new Filter(condition, below), made.toAttribute());
  }

  private static Column column(Project project, Expression call) {
    List<NamedExpression> columns = CollectionConverters.asJava(project.projectList());
    Expression inside = Plans.substituteAliases(call, columns);
    for (NamedExpression one : columns) {
      if (one instanceof Alias alias && alias.child().semanticEquals(inside)) {
        return new Column(project, alias.toAttribute());
      }
    }
    // A nondeterministic column is not computed a second time.
    Column below = inside.deterministic() ? column(project.child(), inside) : null;
    if (below == null || project.outputSet().contains(below.name())) {
      return below == null ? null : new Column(Plans.withChild(project, below.plan()), below.name());
    }
    return new Column(Plans.project(Plans.append(columns, below.name()), below.plan()), below.name());
  }

  /** One projection for the columns of several calls. */
  private static Project with(LogicalPlan plan, Expression call, Alias made) {
    return plan instanceof Project project && call.references().subsetOf(project.child().outputSet())
        ? Plans.project(Plans.append(CollectionConverters.asJava(project.projectList()), made), project.child())
        : Plans.project(Plans.append(attributes(plan), made), plan);
  }

  private static List<Attribute> attributes(LogicalPlan plan) {
    return CollectionConverters.asJava(plan.output());
  }
}
