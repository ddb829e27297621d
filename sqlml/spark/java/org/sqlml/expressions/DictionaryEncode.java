package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * sqlml_place: dictionary encoding. The index of a text among those that training saw, or their number for any other
 * text.
 */
final class DictionaryEncode extends Calculation {
  private final TextDictionary texts;

  DictionaryEncode(TextDictionary texts, Expression text) {
    super(List.of(text));
    this.texts = texts;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new DictionaryEncode(texts, children.get(0));
  }

  @Override
  Object identity() {
    return texts;
  }

  @Override
  public DataType dataType() {
    return DataTypes.LongType;
  }

  @Override
  public boolean nullable() {
    return false;
  }

  @Override
  public Object eval(InternalRow row) {
    return texts.indexOf((UTF8String) inputs().get(0).eval(row));
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode text = inputs().get(0).genCode(context);
    String found = context.addReferenceObj("texts", texts, TextDictionary.class.getName());
    String value = inputs().get(0).nullable() ? text.isNull() + " ? null : " + text.value() : "" + text.value();
    return variable(context, code, text.code(), found + ".indexOf(" + value + ")", FalseLiteral$.MODULE$);
  }
}
