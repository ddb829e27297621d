package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GreaterThan;
import org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.LessThan;
import org.apache.spark.sql.catalyst.expressions.LessThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprValue;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;

/**
 * A division or a comparison by IEEE 754, as a graph has it: what is divided by 0 is infinite or NaN, and no comparison
 * with NaN is true. Spark's division by 0 is NULL or fails, and its NaN is larger than all numbers.
 */
public final class IeeeOperation extends Calculation {
  /** Java's. */
  private final String operator;

  private IeeeOperation(String operator, Expression left, Expression right) {
    super(List.of(left, right));
    this.operator = operator;
  }

  /** sqlml_quotient. */
  static IeeeOperation quotient(Expression left, Expression right) {
    return new IeeeOperation("/", left, right);
  }

  /** The same for Spark's comparison of floating numbers; null for any other expression. */
  static IeeeOperation comparison(Expression expression) {
    String operator =
        expression instanceof LessThan ? "<"
            : expression instanceof LessThanOrEqual ? "<="
            : expression instanceof GreaterThan ? ">"
            : expression instanceof GreaterThanOrEqual ? ">="
            : expression instanceof EqualTo ? "=="
            : null;
    if (operator == null) {
      return null;
    }
    Expression left = expression.children().apply(0);
    DataType type = left.dataType();
    return type instanceof DoubleType || type instanceof FloatType
        ? new IeeeOperation(operator, left, expression.children().apply(1))
        : null;
  }

  public String operator() {
    return operator;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new IeeeOperation(operator, children.get(0), children.get(1));
  }

  @Override
  Object identity() {
    return operator;
  }

  @Override
  public DataType dataType() {
    return operator.equals("/") ? DataTypes.DoubleType : DataTypes.BooleanType;
  }

  @Override
  public boolean nullable() {
    return inputs().get(0).nullable() || inputs().get(1).nullable();
  }

  @Override
  public Object eval(InternalRow row) {
    Object left = inputs().get(0).eval(row);
    Object right = inputs().get(1).eval(row);
    return left == null || right == null ? null : of(((Number) left).doubleValue(), ((Number) right).doubleValue());
  }

  private Object of(double left, double right) {
    return switch (operator) {
      case "/" -> left / right;
      case "<" -> left < right;
      case "<=" -> left <= right;
      case ">" -> left > right;
      case "==" -> left == right;
      default -> left >= right;
    };
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode left = inputs().get(0).genCode(context);
    ExprCode right = inputs().get(1).genCode(context);
    // The variable of a NULL holds some value all the same, and none of these operations can fail.
    String found = "(double) " + left.value() + " " + operator + " (double) " + right.value();
    ExprValue isNull =
        nullable()
            ? JavaCode$.MODULE$.isNullExpression("(" + left.isNull() + " || " + right.isNull() + ")")
            : FalseLiteral$.MODULE$;
    return variable(context, code, left.code().$plus(right.code()), found, isNull);
  }
}
