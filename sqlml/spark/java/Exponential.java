package org.sqlml;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Exp;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** The exponential of a double by the processor's own means, in half the time of Spark's; it may differ in the last bit. */
final class Exponential extends Calculation {
  private Exponential(Expression number) {
    super(List.of(number));
  }

  /** The same for Spark's; null for any other expression. */
  static Exponential of(Expression expression) {
    return expression instanceof Exp ? new Exponential(expression.children().apply(0)) : null;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new Exponential(children.get(0));
  }

  @Override
  Object identity() {
    return "exp";
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
    Object number = inputs().get(0).eval(row);
    return number == null ? null : (Object) Math.exp((Double) number);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode number = inputs().get(0).genCode(context);
    String value = context.freshName("exp");
    // What is NULL has some value all the same.
    return code.copy(
        number.code().$plus(line("double " + value + " = Math.exp(" + number.value() + ");\n")),
        number.isNull(),
        JavaCode$.MODULE$.variable(value, DataTypes.DoubleType));
  }
}
