package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** sqlml_table: the number with an index in a lookup table; NULL where that is NaN. */
final class TableLookup extends Calculation {
  private final double[] values;
  private final boolean nullable;

  TableLookup(double[] values, Expression index) {
    super(List.of(index));
    this.values = values;
    this.nullable = java.util.Arrays.stream(values).anyMatch(Double::isNaN);
  }

  @Override
  Calculation with(List<Expression> children) {
    return new TableLookup(values, children.get(0));
  }

  @Override
  Object identity() {
    return values; // The same array: each is made once a program.
  }

  @Override
  public DataType dataType() {
    return DataTypes.DoubleType;
  }

  @Override
  public boolean nullable() {
    return nullable;
  }

  @Override
  public Object eval(InternalRow row) {
    double value = values[((Number) inputs().get(0).eval(row)).intValue()];
    return Double.isNaN(value) ? null : value;
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode index = inputs().get(0).genCode(context);
    String table = context.addReferenceObj("table", values, "double[]");
    String value = table + "[(int) " + index.value() + "]";
    ExprCode found = variable(context, code, index.code(), value, FalseLiteral$.MODULE$);
    var isNaN = JavaCode$.MODULE$.isNullExpression("Double.isNaN(" + found.value() + ")");
    return nullable ? found.copy(found.code(), isNaN, found.value()) : found;
  }
}
