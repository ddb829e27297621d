package org.sqlml.optimizer;

import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.ElementAt;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetMapValue;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.If;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.catalyst.util.TypeUtils$;
import org.apache.spark.sql.types.DataTypes;
import org.sqlml.common.TreeTransform;
import org.sqlml.expressions.IndexToLabel;
import org.sqlml.expressions.Labels;
import org.sqlml.expressions.Probabilities;
import org.sqlml.predict.PredictCall;
import scala.math.Ordering;

/**
 * Optimizer rule: simplifies the extraction of one value. PREDICT_PROBA(m, …)['yes'] takes one number of a compiled
 * model instead of a map, PREDICT(m, …) = 'yes' compares label indexes instead of labels, and one of several outputs is
 * taken without the others.
 *
 * <pre>
 * Filter (predict_proba(m, x)[yes] > 0.7)          Filter (output 1 of m(x) > 0.7)
 * Filter (predict(m, x) = yes)                →    Filter (output 0 of m(x) = 1.0)
 * Project [predict_outputs(m, x).score]            Project [output 2 of m(x)]
 * </pre>
 *
 * <p>injectOptimizerRule: it belongs in the fixed-point batch of Spark's own simplifications. CollapseProject and
 * constant folding bring calls, extractors and literals together, and Spark goes on with what is left: it infers and
 * pushes the simple filters.
 */
public final class TakeOneOutput extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return (LogicalPlan) plan.transformAllExpressions(TreeTransform.by(TakeOneOutput::simpler));
  }

  /** A simpler form of the expression; null if there is none. */
  private static Expression simpler(Expression expression) {
    if (expression instanceof GetMapValue call) {
      return share(call.child(), call.key());
    }
    if (expression instanceof ElementAt call) {
      return share(call.left(), call.right());
    }
    if (expression instanceof GetStructField field) {
      return output(field.child(), field.ordinal());
    }
    if (expression instanceof EqualTo comparison) {
      Expression found = labelComparison(comparison.left(), comparison.right());
      return found == null ? labelComparison(comparison.right(), comparison.left()) : found;
    }
    return null;
  }

  /** One field of the struct without the others. If a row has no answer, the struct and each of its fields are NULL. */
  private static Expression output(Expression outputs, int index) {
    if (!(outputs instanceof PredictCall call)) {
      return null;
    }
    Expression all = call.child() instanceof If there ? there.falseValue() : call.child();
    return all instanceof CreateNamedStruct struct ? call.over(struct.valExprs().apply(index)) : null;
  }

  /** One label's probability without the map; NULL for an unknown label. Null for other maps and keys. */
  private static Expression share(Expression map, Expression key) {
    if (!(map instanceof PredictCall call
        && call.child() instanceof Probabilities all
        && all.isMap()
        && key instanceof Literal label)) {
      return null;
    }
    int index = index(all.labels(), label);
    return index < 0 ? Literal.create(null, DataTypes.DoubleType) : call.over(all.of(index));
  }

  /** PREDICT(…) = 'label' as a comparison of label indexes; null for anything else. */
  private static Expression labelComparison(Expression prediction, Expression other) {
    if (!(prediction instanceof PredictCall call
        && call.child() instanceof IndexToLabel indexed
        && !indexed.labels().unknown()
        && other instanceof Literal label
        && label.value() != null)) {
      return null;
    }
    // No label has the index NONE: the comparison is false, or NULL where nothing is predicted.
    double index = index(indexed.labels(), label);
    return new EqualTo(call.over(indexed.index()), Literal.create(index < 0 ? NONE : index, DataTypes.DoubleType));
  }

  private static final double NONE = -2.0;

  private static int index(Labels labels, Literal wanted) {
    if (wanted.value() == null || !wanted.dataType().equals(labels.type())) {
      return -1;
    }
    @SuppressWarnings("unchecked")
    Ordering<Object> order = (Ordering<Object>) TypeUtils$.MODULE$.getInterpretedOrdering(labels.type());
    for (int index = 0; index < labels.count(); index++) {
      if (order.equiv(labels.value(index), wanted.value())) {
        return index;
      }
    }
    return -1;
  }
}
