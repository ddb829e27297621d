package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** One of the numbers that a walk over trees or a model gives for a row; sqlml_sum is one of a walk's. */
public final class ModelOutput extends Calculation {
  private final int place;
  private final String before;
  private final String after;

  public ModelOutput(int place, Expression numbers) {
    this(place, numbers, "sqlml_sum", "");
  }

  /**
   * @param numbers an array of doubles
   * @param before what EXPLAIN writes before the array
   * @param after and after it
   */
  public ModelOutput(int place, Expression numbers, String before, String after) {
    super(List.of(numbers));
    this.place = place;
    this.before = before;
    this.after = after;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new ModelOutput(place, children.get(0), before, after);
  }

  @Override
  Object identity() {
    return place;
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
    double[] numbers = (double[]) inputs().get(0).eval(row);
    return numbers == null ? null : (Object) numbers[place];
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode numbers = inputs().get(0).genCode(context);
    String found = numbers.value() + "[" + place + "]";
    boolean always = numbers.isNull() == FalseLiteral$.MODULE$;
    String value = always ? found : numbers.isNull() + " ? 0.0 : " + found;
    return variable(context, code, numbers.code(), value, numbers.isNull());
  }

  @Override
  public String toString() {
    return before + inputs().get(0) + after;
  }
}
