package org.sqlml.expressions;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.EmptyBlock$;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprValue;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/**
 * A function of numbers that has a value for NaN, as in ONNX Runtime: NULL is NaN to it, and its own value is never
 * NULL.
 */
public final class NullAsNaNFunction extends Calculation {
  private static final String JAVA = NullAsNaNFunction.class.getName();

  /** A method of this class that takes as many doubles as there are children; `firstLargest` takes any number. */
  private final String name;

  private final DataType type;

  private NullAsNaNFunction(String name, DataType type, List<Expression> numbers) {
    super(numbers);
    this.name = name;
    this.type = type;
  }

  /** sqlml_power. */
  static NullAsNaNFunction power(Expression base, Expression exponent) {
    return new NullAsNaNFunction("power", DataTypes.DoubleType, List.of(base, exponent));
  }

  /**
   * sqlml_whole.
   *
   * @param bits of the integer
   */
  static NullAsNaNFunction whole(Expression number, int bits) {
    return new NullAsNaNFunction(bits == Integer.SIZE ? "wholeInt" : "wholeLong", DataTypes.LongType, List.of(number));
  }

  /** sqlml_first_largest. */
  static NullAsNaNFunction firstLargest(List<Expression> numbers) {
    return new NullAsNaNFunction("firstLargest", DataTypes.LongType, numbers);
  }

  /** C's: 1 to any power is 1, and so is −1 to an infinite one, which are NaN in Java. */
  public static double power(double base, double exponent) {
    return base == 1 || base == -1 && Double.isInfinite(exponent) ? 1 : Math.pow(base, exponent);
  }

  /** Cut off towards 0; what no long can hold is the least one, as x86 processors have it. */
  public static long wholeLong(double number) {
    return number >= Long.MIN_VALUE && number < -(double) Long.MIN_VALUE ? (long) number : Long.MIN_VALUE;
  }

  /** The same for an int. */
  public static long wholeInt(double number) {
    return number >= Integer.MIN_VALUE && number < -(double) Integer.MIN_VALUE ? (long) number : Integer.MIN_VALUE;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new NullAsNaNFunction(name, type, children);
  }

  @Override
  Object identity() {
    return name;
  }

  @Override
  public DataType dataType() {
    return type;
  }

  @Override
  public boolean nullable() {
    return false;
  }

  @Override
  public Object eval(InternalRow row) {
    double[] numbers = new double[inputs().size()];
    for (int i = 0; i < numbers.length; i++) {
      Object number = inputs().get(i).eval(row);
      numbers[i] = number == null ? Double.NaN : ((Number) number).doubleValue();
    }
    return switch (name) {
      case "power" -> power(numbers[0], numbers[1]);
      case "wholeInt" -> wholeInt(numbers[0]);
      case "wholeLong" -> wholeLong(numbers[0]);
      case "firstLargest" -> firstLargest(numbers);
      default -> throw new IllegalStateException(name);
    };
  }

  private static long firstLargest(double[] numbers) {
    int first = 0;
    for (int i = 1; i < numbers.length; i++) {
      first = numbers[i] > numbers[first] ? i : first;
    }
    return first;
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    Block block = EmptyBlock$.MODULE$;
    List<String> numbers = new ArrayList<>();
    for (Expression input : inputs()) {
      ExprCode number = input.genCode(context);
      // An input of the model that is NaN need only be asked whether it is NULL.
      ExprValue isNull = IsNullOrNaN.isNull(number);
      String missing = isNull == FalseLiteral$.MODULE$ ? "" : isNull + " ? Double.NaN : ";
      String name = context.freshName("number");
      block = block.$plus(number.code()).$plus(line("double " + name + " = " + missing + number.value() + ";\n"));
      numbers.add(name);
    }
    if (!name.equals("firstLargest")) {
      return variable(context, code, block, JAVA + "." + name + "(" + String.join(", ", numbers) + ")", FalseLiteral$.MODULE$);
    }
    String first = context.freshName("first");
    String largest = context.freshName("largest");
    StringBuilder text = new StringBuilder("long " + first + " = 0L;\ndouble " + largest + " = " + numbers.get(0) + ";\n");
    for (int i = 1; i < numbers.size(); i++) {
      String number = numbers.get(i);
      text.append("if (" + number + " > " + largest + ") { " + largest + " = " + number + "; " + first + " = " + i + "L; }\n");
    }
    return variable(context, code, block.$plus(line(text.toString())), first, FalseLiteral$.MODULE$);
  }
}
