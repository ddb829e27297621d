package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/** A text replaced by the spelling that a model knows of it, under the collation of the model's feature. */
public final class CanonicalText extends Calculation {
  private final KnownSpellings spellings;

  public CanonicalText(KnownSpellings spellings, Expression text) {
    super(List.of(text));
    this.spellings = spellings;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new CanonicalText(spellings, children.get(0));
  }

  @Override
  Object identity() {
    return spellings;
  }

  @Override
  public DataType dataType() {
    return DataTypes.StringType;
  }

  @Override
  public boolean nullable() {
    return inputs().get(0).nullable();
  }

  @Override
  public Object eval(InternalRow row) {
    Object text = inputs().get(0).eval(row);
    return text == null ? null : spellings.known((UTF8String) text);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode text = inputs().get(0).genCode(context);
    String found = context.addReferenceObj("spellings", spellings, KnownSpellings.class.getName());
    String known = found + ".known(" + text.value() + ")";
    String value = inputs().get(0).nullable() ? text.isNull() + " ? null : " + known : known;
    return variable(context, code, text.code(), value, text.isNull());
  }

  @Override
  public String toString() {
    return "canonical(" + inputs().get(0) + ")";
  }
}
