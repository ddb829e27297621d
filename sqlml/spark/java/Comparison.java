package org.sqlml;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GreaterThan;
import org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.LessThan;
import org.apache.spark.sql.catalyst.expressions.LessThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
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
 * Numbers compared as a graph compares them: nothing holds of NaN, which is what infinite features of different signs add
 * up to. For Spark NaN is larger than all numbers.
 */
final class Comparison extends Calculation {
  private final String operator;

  private Comparison(String operator, Expression left, Expression right) {
    super(List.of(left, right));
    this.operator = operator;
  }

  /** The same for Spark's comparison of floating numbers; null for any other expression. */
  static Comparison of(Expression expression) {
    String operator =
        expression instanceof LessThan ? "<"
            : expression instanceof LessThanOrEqual ? "<="
            : expression instanceof GreaterThan ? ">"
            : expression instanceof GreaterThanOrEqual ? ">="
            : null;
    if (operator == null) {
      return null;
    }
    Expression left = expression.children().apply(0);
    DataType type = left.dataType();
    return type instanceof DoubleType || type instanceof FloatType
        ? new Comparison(operator, left, expression.children().apply(1))
        : null;
  }

  String operator() {
    return operator;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new Comparison(operator, children.get(0), children.get(1));
  }

  @Override
  Object identity() {
    return operator;
  }

  @Override
  public DataType dataType() {
    return DataTypes.BooleanType;
  }

  @Override
  public boolean nullable() {
    return inputs().get(0).nullable() || inputs().get(1).nullable();
  }

  @Override
  public Object eval(InternalRow row) {
    Object left = inputs().get(0).eval(row);
    Object right = inputs().get(1).eval(row);
    return left == null || right == null ? null : (Object) holds(((Number) left).doubleValue(), ((Number) right).doubleValue());
  }

  private boolean holds(double left, double right) {
    return switch (operator) {
      case "<" -> left < right;
      case "<=" -> left <= right;
      case ">" -> left > right;
      default -> left >= right;
    };
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode left = inputs().get(0).genCode(context);
    ExprCode right = inputs().get(1).genCode(context);
    String value = context.freshName("holds");
    String compared = left.value() + " " + operator + " " + right.value();
    Block block =
        left.code().$plus(right.code()).$plus(line("boolean " + value + " = " + compared + ";\n"));
    ExprValue isNull =
        nullable()
            ? JavaCode$.MODULE$.isNullExpression("(" + left.isNull() + " || " + right.isNull() + ")")
            : FalseLiteral$.MODULE$;
    return code.copy(block, isNull, JavaCode$.MODULE$.variable(value, DataTypes.BooleanType));
  }
}
