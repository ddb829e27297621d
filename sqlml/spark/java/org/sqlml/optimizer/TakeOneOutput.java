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
 * PREDICT_PROBA(m, …)['yes'] takes one number of a compiled model instead of a map, and PREDICT(m, …) = 'yes' compares
 * which label it is instead of the label. One of several outputs is taken without the others.
 */
public final class TakeOneOutput extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    return (LogicalPlan) plan.transformAllExpressions(TreeTransform.by(TakeOneOutput::simpler));
  }

  /** Null where there is nothing simpler. */
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
      Expression found = said(comparison.left(), comparison.right());
      return found == null ? said(comparison.right(), comparison.left()) : found;
    }
    return null;
  }

  /** Where a row has no answer, the struct is NULL, and each of its parts would be. */
  private static Expression output(Expression outputs, int place) {
    if (!(outputs instanceof PredictCall call)) {
      return null;
    }
    Expression all = call.child() instanceof If there ? there.falseValue() : call.child();
    return all instanceof CreateNamedStruct struct ? call.over(struct.valExprs().apply(place)) : null;
  }

  private static Expression share(Expression map, Expression key) {
    if (!(map instanceof PredictCall call
        && call.child() instanceof Probabilities all
        && all.isMap()
        && key instanceof Literal label)) {
      return null;
    }
    int place = place(all.labels(), label);
    return place < 0 ? Literal.create(null, DataTypes.DoubleType) : call.over(all.of(place));
  }

  private static Expression said(Expression prediction, Expression other) {
    if (!(prediction instanceof PredictCall call
        && call.child() instanceof IndexToLabel said
        && !said.labels().unknown()
        && other instanceof Literal label
        && label.value() != null)) {
      return null;
    }
    // Of no label's place the comparison is false, and NULL where nothing is predicted.
    double place = place(said.labels(), label);
    return new EqualTo(call.over(said.place()), Literal.create(place < 0 ? NONE : place, DataTypes.DoubleType));
  }

  private static final double NONE = -2.0;

  private static int place(Labels labels, Literal wanted) {
    if (wanted.value() == null || !wanted.dataType().equals(labels.type())) {
      return -1;
    }
    @SuppressWarnings("unchecked")
    Ordering<Object> order = (Ordering<Object>) TypeUtils$.MODULE$.getInterpretedOrdering(labels.type());
    for (int place = 0; place < labels.count(); place++) {
      if (order.equiv(labels.value(place), wanted.value())) {
        return place;
      }
    }
    return -1;
  }
}
