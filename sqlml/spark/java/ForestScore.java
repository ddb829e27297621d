package org.sqlml;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/** sqlml_sum: one of the numbers that a walk gives. */
final class ForestScore extends Calculation {
  private final int place;

  ForestScore(int place, Expression walk) {
    super(List.of(walk));
    this.place = place;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new ForestScore(place, children.get(0));
  }

  @Override
  Object identity() {
    return place;
  }

  @Override
  public DataType dataType() {
    return DataTypes.DoubleType;
  }

  @Override
  public boolean nullable() {
    return false;
  }

  @Override
  public Object eval(InternalRow row) {
    return ((double[]) inputs().get(0).eval(row))[place];
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode walk = inputs().get(0).genCode(context);
    String value = context.freshName("sum");
    Block block = walk.code().$plus(line("double " + value + " = " + walk.value() + "[" + place + "];\n"));
    return code.copy(block, FalseLiteral$.MODULE$, JavaCode$.MODULE$.variable(value, DataTypes.DoubleType));
  }
}
