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
 * A monotone (non-decreasing) function of a floating number, so that bounds of the number are bounds of its value. Its
 * exponential is the processor's own, in half the time of Spark's and maybe with another last bit.
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

  /** sqlml_floor. Spark's own is a BIGINT, which has no number beyond 9.2e18 and none that is infinite or NaN. */
  static MonotoneFunction floor(Expression number) {
    return new MonotoneFunction("floor", number);
  }

  /** The same for Spark's exponential; null for any other expression. */
  static MonotoneFunction exponential(Expression expression) {
    return expression instanceof Exp ? new MonotoneFunction("exp", expression.children().apply(0)) : null;
  }

  public static double exp(double x) {
    return Math.exp(x);
  }

  /**
   * 1 / (1 + exp(−x)) from 0 on, and 1 less that of −x below: both are as far from 0.5, and no difference here is rounded.
   * Without a branch, which would be taken at random.
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
    // The variable of a NULL holds some value all the same.
    String value = JAVA + "." + name + "((double) " + number.value() + ")";
    return variable(context, code, number.code(), value, number.isNull());
  }
}
