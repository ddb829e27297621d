package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprValue;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.ObjectType;
import scala.Function1;
import scala.runtime.AbstractFunction1;

/** sqlml_forest: all the outputs of an ensemble of trees for a row, as an array that the next row overwrites. */
public final class ForestScores extends Calculation {
  static final DataType NUMBERS = new ObjectType(double[].class);

  private static final String SCRATCH = Forest.Scratch.class.getCanonicalName();

  private final Forest forest;

  public ForestScores(Forest forest, List<Expression> children) {
    super(children);
    this.forest = forest;
  }

  public Forest forest() {
    return forest;
  }

  @Override
  Calculation with(List<Expression> children) {
    return new ForestScores(forest, children);
  }

  @Override
  Object identity() {
    return forest;
  }

  @Override
  public DataType dataType() {
    return NUMBERS;
  }

  @Override
  public boolean nullable() {
    return false;
  }

  @Override
  public boolean foldable() {
    return false;
  }

  @Override
  public Object eval(InternalRow row) {
    List<Expression> inputs = inputs();
    double[] values = new double[inputs.size()];
    for (int i = 0; i < values.length; i++) {
      Object value = inputs.get(i).eval(row);
      values[i] = value == null ? Double.NaN : ((Number) value).doubleValue();
    }
    double[] sums = new double[forest.outputs()];
    forest.score(values, forest.scratch(), sums);
    return sums;
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    String trees = context.addReferenceObj("forest", forest, Forest.class.getName());
    List<Expression> inputs = inputs();
    String row = context.addMutableState("double[]", "row", array(inputs.size()), true, true);
    String sums = context.addMutableState("double[]", "sums", array(forest.outputs()), true, true);
    String kept = context.addMutableState(SCRATCH, "scratch", scratch(trees), true, true);
    Block block = line("");
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i) instanceof Literal literal) {
        double constant = literal.value() == null ? Double.NaN : ((Number) literal.value()).doubleValue();
        if (constant != 0.0) { // The array is made of zeros, and what no tree looks at is one.
          String bits = Double.doubleToRawLongBits(constant) + "L";
          block = block.$plus(line(row + "[" + i + "] = Double.longBitsToDouble(" + bits + ");\n"));
        }
        continue;
      }
      ExprCode input = inputs.get(i).genCode(context);
      ExprValue isNull = IsNullOrNaN.isNull(input);
      String value = (isNull == FalseLiteral$.MODULE$ ? "" : isNull + " ? Double.NaN : ") + input.value();
      block = block.$plus(input.code()).$plus(line(row + "[" + i + "] = " + value + ";\n"));
    }
    block = block.$plus(line(trees + ".score(" + row + ", " + kept + ", " + sums + ");\n"));
    return code.copy(block, FalseLiteral$.MODULE$, JavaCode$.MODULE$.global(sums, double[].class));
  }

  private static Function1<String, String> scratch(String trees) {
    return new AbstractFunction1<>() {
      @Override
      public String apply(String name) {
        return name + " = " + trees + ".scratch();";
      }
    };
  }

  /** A field's first value. */
  static Function1<String, String> array(int length) {
    return new AbstractFunction1<>() {
      @Override
      public String apply(String name) {
        return name + " = new double[" + length + "];";
      }
    };
  }
}
