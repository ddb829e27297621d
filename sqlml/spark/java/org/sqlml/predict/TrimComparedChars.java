package org.sqlml.predict;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.BinaryComparison;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.In;
import org.apache.spark.sql.catalyst.expressions.StringTrimRight;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.types.DataTypes;
import org.sqlml.common.Seqs;
import org.sqlml.common.TreeTransform;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Analyzer rule: where a prediction is compared with a column of type CHAR(n), the column's trailing blanks do not
 * count, as Spark has it for a comparison with a literal. A prediction has none.
 *
 * <pre>
 * Filter (predict(m, x) = c)          Filter (predict(m, x) = rtrim(c))
 * +- Relation [x, c]            →     +- Relation [x, c]
 * </pre>
 *
 * <p>injectPostHocResolutionRule: it must know the types of both sides. It is no optimizer rule because it changes what
 * a comparison means, and an optimizer rule can be excluded.
 */
public final class TrimComparedChars extends Rule<LogicalPlan> {
  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!PredictCalls.mayContain(plan)) {
      return plan;
    }
    Set<ExprId> predictions = new HashSet<>();
    collect(plan, predictions);
    return plan.resolveExpressions(TreeTransform.by(node -> compared(node, predictions)));
  }

  /** `=` and its like, and IN with a list: without trailing blanks of CHAR columns; null for anything else. */
  private static Expression compared(Expression comparison, Set<ExprId> predictions) {
    if (!(comparison instanceof BinaryComparison || comparison instanceof In) || !comparison.childrenResolved()) {
      return null;
    }
    List<Expression> sides = CollectionConverters.asJava(comparison.children());
    if (sides.stream().noneMatch(side -> isPrediction(side, predictions))
        || sides.stream().noneMatch(TrimComparedChars::isChar)) {
      return null;
    }
    List<Expression> trimmed = new ArrayList<>();
    sides.forEach(side -> trimmed.add(isChar(side) ? new StringTrimRight(side) : side));
    return (Expression) comparison.withNewChildren(Seqs.of(trimmed));
  }

  private static boolean isChar(Expression column) {
    boolean read = column instanceof Attribute || column instanceof GetStructField;
    return read && CharType.isChar(CharType.typeOf(column));
  }

  /** The columns, of all operators, that are predictions under whatever name. */
  private static void collect(LogicalPlan plan, Set<ExprId> predictions) {
    CollectionConverters.asJava(plan.children()).forEach(child -> collect(child, predictions));
    // The table forms of PREDICT are lateral joins: their calls stand in a subquery.
    CollectionConverters.asJava(plan.subqueries()).forEach(query -> collect(query, predictions));
    for (Expression expression : CollectionConverters.asJava(plan.expressions())) {
      if (expression instanceof Alias alias && says(alias.child(), predictions)) {
        predictions.add(alias.exprId());
      }
    }
  }

  private static boolean isPrediction(Expression text, Set<ExprId> predictions) {
    return text.dataType().equals(DataTypes.StringType) && says(text, predictions);
  }

  /** Whether it is what a call says, or one of several outputs. */
  private static boolean says(Expression value, Set<ExprId> predictions) {
    return value instanceof PredictCall
        || value instanceof Cast cast && says(cast.child(), predictions)
        // A query that names an unknown column comes here unresolved: Spark's own check reports it afterwards.
        || value instanceof Attribute column && column.resolved() && predictions.contains(column.exprId())
        || value instanceof GetStructField field && says(field.child(), predictions)
        || value instanceof CreateNamedStruct all
            && CollectionConverters.asJava(all.valExprs()).stream().allMatch(one -> says(one, predictions));
  }
}
