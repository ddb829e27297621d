package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;

/**
 * A reference to a slot of a program: an input of a model or one of its definitions. It is a variable of the generated
 * code, or a field of the row where the program is interpreted. Not Spark's BoundReference, which refers to the query's
 * own row.
 */
public final class SlotReference extends Calculation {
  private final int ordinal;
  private final DataType type;
  private final boolean nullable;

  public SlotReference(int ordinal, DataType type, boolean nullable) {
    super(List.of());
    this.ordinal = ordinal;
    this.type = type;
    this.nullable = nullable;
  }

  public int ordinal() {
    return ordinal;
  }

  @Override
  Calculation with(List<org.apache.spark.sql.catalyst.expressions.Expression> children) {
    return this;
  }

  @Override
  Object identity() {
    return List.of(ordinal, type, nullable);
  }

  @Override
  public DataType dataType() {
    return type;
  }

  @Override
  public boolean nullable() {
    return nullable;
  }

  @Override
  public Object eval(InternalRow row) {
    return row.isNullAt(ordinal) ? null : row.get(ordinal, type);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode variable = context.currentVars().apply(ordinal);
    return code.copy(variable.code(), variable.isNull(), variable.value());
  }

  @Override
  public String toString() {
    return "slot" + ordinal;
  }
}
