package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
import org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator$;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.apache.spark.sql.types.DataType;

/** The label with an index among a model's labels, as MLlib's IndexToString has it. */
public final class IndexToLabel extends Calculation {
  private final Labels labels;

  /**
   * @param place a double
   */
  public IndexToLabel(Labels labels, Expression index) {
    super(List.of(index));
    this.labels = labels;
  }

  public Labels labels() {
    return labels;
  }

  public Expression index() {
    return inputs().get(0);
  }

  @Override
  Calculation with(List<Expression> children) {
    return new IndexToLabel(labels, children.get(0));
  }

  @Override
  Object identity() {
    return labels; // The same object: each is made once a program.
  }

  @Override
  public DataType dataType() {
    return labels.type();
  }

  @Override
  public boolean nullable() {
    return true;
  }

  @Override
  public Object eval(InternalRow row) {
    Double index = (Double) index().eval(row);
    return index == null ? null : labels.at(index);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode index = index().genCode(context);
    String known = context.addReferenceObj("labels", labels, Labels.class.getName());
    String boxed = CodeGenerator$.MODULE$.boxedType(dataType());
    String java = CodeGenerator$.MODULE$.javaType(dataType());
    String found = context.freshName("found");
    String value = context.freshName("label");
    String isNull = context.freshName("isNull");
    String none = CodeGenerator$.MODULE$.defaultValue(dataType(), false);
    String text =
        boxed + " " + found + " = " + index.isNull() + " ? null : (" + boxed + ") " + known + ".at(" + index.value() + ");\n"
            + "boolean " + isNull + " = " + found + " == null;\n"
            + java + " " + value + " = " + isNull + " ? " + none + " : (" + java + ") " + found + ";\n";
    Block block = index.code().$plus(line(text));
    return code.copy(
        block, JavaCode$.MODULE$.isNullVariable(isNull), JavaCode$.MODULE$.variable(value, dataType()));
  }

  @Override
  public String toString() {
    return index().toString();
  }
}
