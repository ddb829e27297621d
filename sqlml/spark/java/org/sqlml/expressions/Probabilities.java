package org.sqlml.expressions;

import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;

/** The probabilities of all labels of a model: as a map, or as an array with the most probable first. */
public final class Probabilities extends Calculation {
  private final Labels labels;
  private final boolean ranked;
  private final String shown;

  /**
   * @param numbers what the model gives for a row
   * @param ranked an array of structs of a label and its probability, instead of a map
   * @param shown what EXPLAIN writes before the model
   */
  public Probabilities(Labels labels, Expression numbers, boolean ranked, String shown) {
    super(List.of(numbers));
    this.labels = labels;
    this.ranked = ranked;
    this.shown = shown;
  }

  public Labels labels() {
    return labels;
  }

  /** The probability of a label alone. */
  public Expression of(int label) {
    if (inputs().get(0) instanceof OnnxProbabilities shares) {
      return shares.of(label);
    }
    CompiledModel model = (CompiledModel) inputs().get(0);
    return new ModelOutput(label + 1, model.wanting(Set.of(label + 1)), shown, "[" + labels.value(label) + "]");
  }

  public boolean isMap() {
    return !ranked;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new Probabilities(labels, children.get(0), ranked, shown);
  }

  @Override
  Object identity() {
    return List.of(labels, ranked);
  }

  @Override
  public DataType dataType() {
    if (!ranked) {
      return DataTypes.createMapType(labels.type(), DataTypes.DoubleType);
    }
    StructField label = DataTypes.createStructField("label", labels.type(), true);
    StructField share = DataTypes.createStructField("prob", DataTypes.DoubleType, true);
    return DataTypes.createArrayType(DataTypes.createStructType(new StructField[] {label, share}));
  }

  @Override
  public boolean nullable() {
    return true;
  }

  @Override
  public Object eval(InternalRow row) {
    double[] numbers = (double[]) inputs().get(0).eval(row);
    return numbers == null ? null : ranked ? labels.ranked(numbers) : labels.map(numbers);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode numbers = inputs().get(0).genCode(context);
    String known = context.addReferenceObj("labels", labels, Labels.class.getName());
    String found = known + (ranked ? ".ranked(" : ".map(") + numbers.value() + ")";
    return variable(context, code, numbers.code(), numbers.isNull() + " ? null : " + found, numbers.isNull());
  }

  @Override
  public String toString() {
    return shown + inputs().get(0);
  }
}
