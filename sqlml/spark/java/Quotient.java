package org.sqlml;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** sqlml_quotient: a division of doubles as a graph divides. Spark's own says NULL of a division by 0, or fails. */
final class Quotient extends Calculation {
  Quotient(Expression left, Expression right) {
    super(List.of(left, right));
  }

  @Override
  Calculation with(List<Expression> children) {
    return new Quotient(children.get(0), children.get(1));
  }

  @Override
  Object identity() {
    return "quotient";
  }

  @Override
  public DataType dataType() {
    return DataTypes.DoubleType;
  }

  @Override
  public boolean nullable() {
    return inputs().get(0).nullable() || inputs().get(1).nullable();
  }

  @Override
  public Object eval(InternalRow row) {
    Object left = inputs().get(0).eval(row);
    Object right = inputs().get(1).eval(row);
    return left == null || right == null ? null : ((Number) left).doubleValue() / ((Number) right).doubleValue();
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode left = inputs().get(0).genCode(context);
    ExprCode right = inputs().get(1).genCode(context);
    String isNull = context.freshName("isNull");
    String value = context.freshName("quotient");
    // What is NULL has some value all the same, and a division of doubles cannot fail.
    String divided = "(double) " + left.value() + " / (double) " + right.value();
    Block block =
        left.code()
            .$plus(right.code())
            .$plus(line("boolean " + isNull + " = " + left.isNull() + " || " + right.isNull() + ";\n"))
            .$plus(line("double " + value + " = " + divided + ";\n"));
    return code.copy(
        block, JavaCode$.MODULE$.isNullVariable(isNull), JavaCode$.MODULE$.variable(value, DataTypes.DoubleType));
  }
}
