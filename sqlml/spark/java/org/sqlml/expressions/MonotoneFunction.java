package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Exp;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/**
 * A monotone (non-decreasing) function of a floating-point number. optimizer.PartialEvaluation relies on that: the
 * values at the bounds of the argument are bounds of the result. The exponential is Math.exp, which takes half the time
 * of Spark's StrictMath.exp and may differ in the last bit.
 */
public final class MonotoneFunction extends Calculation {
  private static final String JAVA = MonotoneFunction.class.getName();

  /** A method of this class. */
  private final String name;

  private MonotoneFunction(String name, Expression number) {
    super(List.of(number));
    this.name = name;
  }

  /** sqlml_sigmoid. */
  static MonotoneFunction sigmoid(Expression number) {
    return new MonotoneFunction("sigmoid", number);
  }

  /** sqlml_floor. Spark's own floor is a BIGINT, which cannot hold numbers beyond 9.2e18, infinities or NaN. */
  static MonotoneFunction floor(Expression number) {
    return new MonotoneFunction("floor", number);
  }

  /** Replaces Spark's Exp by this class's exponential; null for any other expression. */
  static MonotoneFunction exponential(Expression expression) {
    return expression instanceof Exp ? new MonotoneFunction("exp", expression.children().apply(0)) : null;
  }

  public static double exp(double x) {
    return Math.exp(x);
  }

  /**
   * 1 / (1 + exp(−x)) for x ≥ 0, and 1 − sigmoid(−x) for x < 0. It is computed as 0.5 ± d with the same d for x and −x;
   * the subtractions are exact. It has no branch on the sign of x, which a processor could not predict.
   */
  public static double sigmoid(double x) {
    double upper = 1 / (1 + Math.exp(-Math.abs(x)));
    return 0.5 + Math.copySign(upper - 0.5, x);
  }

  public static double floor(double x) {
    return Math.floor(x);
  }

  public double of(double x) {
    return switch (name) {
      case "exp" -> exp(x);
      case "floor" -> floor(x);
      case "sigmoid" -> sigmoid(x);
      default -> throw new IllegalStateException(name);
    };
  }

  @Override
  Calculation with(List<Expression> children) {
    return new MonotoneFunction(name, children.get(0));
  }

  @Override
  Object identity() {
    return name;
  }

  @Override
  public DataType dataType() {
    return DataTypes.DoubleType;
  }

  @Override
  public boolean nullable() {
    return inputs().get(0).nullable();
  }

  @Override
  public Object eval(InternalRow row) {
    Object number = inputs().get(0).eval(row);
    return number == null ? null : (Object) of(((Number) number).doubleValue());
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode number = inputs().get(0).genCode(context);
    // Where the number is NULL, its variable still holds some value.
    String value = JAVA + "." + name + "((double) " + number.value() + ")";
    return variable(context, code, number.code(), value, number.isNull());
  }
}
