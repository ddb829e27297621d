package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.execution.FilterExec;
import org.apache.spark.sql.execution.ProjectExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.TakeOrderedAndProjectExec;
import org.sqlml.common.Plans;
import org.sqlml.common.Seqs;
import org.sqlml.predict.PredictCall;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Physical rule: restores projections that the planner has inlined. What {@link PullOutPredictions} made a column of,
 * the planner of scans (ScanOperation, PhysicalOperation) substitutes into the filter and into the projection above it
 * again, as it does with all projections between a scan and them. And what TakeOrderedAndProject projects is in no
 * EXPLAIN, so a projection that scores stands alone.
 *
 * <pre>
 * Project [predict(m, x) AS p]                      Project [prediction AS p]
 * +- Filter (y = 2 AND predict(m, x) > 1)     →     +- Filter (prediction > 1)
 *    +- FileScan [x, y]                                +- Project [predict(m, x) AS prediction]
 *                                                         +- Filter (y = 2)
 *                                                            +- FileScan [x, y]
 *
 * TakeOrderedAndProject(10, [y],              →     Project [y, predict(m, x) AS p]
 *                       [y, predict(m, x) AS p])    +- TakeOrderedAndProject(10, [y], [y, x])
 * </pre>
 *
 * <p>injectColumnar: see {@link PhysicalRule}.
 */
public final class KeepScoringProjection {
  private KeepScoringProjection() {}

  public static SparkPlan apply(SparkPlan node) {
    if (node instanceof ProjectExec project && project.child() instanceof FilterExec filter) {
      return shared(project, filter).isEmpty() ? null : kept(project, filter);
    }
    if (node instanceof TakeOrderedAndProjectExec first) {
      List<NamedExpression> columns = CollectionConverters.asJava(first.projectList());
      return columns.stream().anyMatch(column -> PredictCalls.contains((Expression) column)) ? apart(first) : null;
    }
    return null;
  }

  private static SparkPlan apart(TakeOrderedAndProjectExec first) {
    List<NamedExpression> inputs = new ArrayList<>(CollectionConverters.asJava(first.child().output()));
    SparkPlan taken =
        new TakeOrderedAndProjectExec(
            first.limit(), first.sortOrder(), Seqs.of(inputs), first.child(), first.offset());
    return new ProjectExec(first.projectList(), taken);
  }

  /** The calls of both operators that can share one evaluation, each once. */
  private static List<PredictCall> shared(ProjectExec project, FilterExec filter) {
    List<PredictCall> above = PredictCalls.of(project);
    List<PredictCall> shared = new ArrayList<>();
    for (PredictCall filtered : PredictCalls.computableBefore(filter.condition())) {
      List<PredictCall> alike = above.stream().filter(call -> PredictCalls.canShare(call, filtered)).toList();
      if (filtered.deterministic() && !alike.isEmpty()) {
        shared.add(filtered);
        alike.stream().filter(call -> shared.stream().noneMatch(call::semanticEquals)).forEach(shared::add);
      }
    }
    return shared;
  }

  private static SparkPlan kept(ProjectExec project, FilterExec filter) {
    List<Expression> before = new ArrayList<>();
    List<Expression> after = new ArrayList<>();
    for (Expression one : Plans.conjuncts(filter.condition())) {
      (PredictCalls.contains(one) ? after : before).add(one);
    }
    SparkPlan below = before.isEmpty() ? filter.child() : new FilterExec(Plans.conjunction(before), filter.child());
    List<NamedExpression> columns = new ArrayList<>();
    Expression condition = Plans.conjunction(after);
    SparkPlan above = project;
    for (PredictCall call : shared(project, filter)) {
      Alias column = PredictCalls.alias(call);
      columns.add(column);
      var replacing = Plans.replace(call, column.toAttribute());
      condition = (Expression) condition.transformDown(replacing);
      above = (SparkPlan) above.transformExpressions(replacing);
    }
    for (Attribute output : CollectionConverters.asJava(below.output())) {
      if (above.references().contains(output) || condition.references().contains(output)) {
        columns.add(output);
      }
    }
    SparkPlan computed = ShareModelOutputs.shared((SparkPlan) new ProjectExec(Seqs.of(columns), below));
    return (SparkPlan) above.withNewChildren(Seqs.of(List.of(new FilterExec(condition, computed))));
  }
}
