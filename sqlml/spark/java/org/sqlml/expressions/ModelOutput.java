package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** One element of the array of numbers that a forest (sqlml_sum) or a whole model gives for a row. */
public final class ModelOutput extends Calculation {
  private final int index;
  private final String before;
  private final String after;

  public ModelOutput(int index, Expression numbers) {
    this(index, numbers, "sqlml_sum", "");
  }

  /**
   * @param numbers an array of doubles
   * @param before what EXPLAIN writes before the array
   * @param after and after it
   */
  public ModelOutput(int index, Expression numbers, String before, String after) {
    super(List.of(numbers));
    this.index = index;
    this.before = before;
    this.after = after;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new ModelOutput(index, children.get(0), before, after);
  }

  @Override
  Object identity() {
    return index;
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
    return numbers == null ? null : (Object) numbers[index];
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode numbers = inputs().get(0).genCode(context);
    String found = numbers.value() + "[" + index + "]";
    boolean always = numbers.isNull() == FalseLiteral$.MODULE$;
    String value = always ? found : numbers.isNull() + " ? 0.0 : " + found;
    return variable(context, code, numbers.code(), value, numbers.isNull());
  }

  @Override
  public String toString() {
    return before + inputs().get(0) + after;
  }
}
