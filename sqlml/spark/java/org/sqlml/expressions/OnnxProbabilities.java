package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetArrayItem;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/**
 * The probabilities that ONNX Runtime returns through Python, an array, as the outputs of a compiled model: they begin
 * at index 1. A map would take longer on its way from Python than the model.
 */
public final class OnnxProbabilities extends Calculation {
  /**
   * @param array of doubles, one for each label
   */
  public OnnxProbabilities(Expression array) {
    super(List.of(array));
  }

  /** One of them alone. */
  Expression of(int label) {
    return new GetArrayItem(inputs().get(0), Literal.create(label, DataTypes.IntegerType), false);
  }

  @Override
  Calculation with(List<Expression> children) {
    return new OnnxProbabilities(children.get(0));
  }

  @Override
  Object identity() {
    return "shares";
  }

  @Override
  public DataType dataType() {
    return ForestScores.NUMBERS;
  }

  @Override
  public boolean nullable() {
    return true;
  }

  @Override
  public Object eval(InternalRow row) {
    ArrayData array = (ArrayData) inputs().get(0).eval(row);
    return array == null ? null : numbers(array);
  }

  /** Public, because the code that Spark generates calls it. */
  public static double[] numbers(ArrayData array) {
    double[] numbers = new double[array.numElements() + 1];
    for (int index = 1; index < numbers.length; index++) {
      // pandas, which Spark 4.0 has in between, makes NULL of NaN.
      numbers[index] = array.isNullAt(index - 1) ? Double.NaN : array.getDouble(index - 1);
    }
    return numbers;
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode array = inputs().get(0).genCode(context);
    String found = OnnxProbabilities.class.getName() + ".numbers(" + array.value() + ")";
    return variable(context, code, array.code(), array.isNull() + " ? null : " + found, array.isNull());
  }

  @Override
  public String toString() {
    return inputs().get(0).toString();
  }
}
