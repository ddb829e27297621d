package org.sqlml.predict;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GreaterThan;
import org.apache.spark.sql.catalyst.expressions.Greatest;
import org.apache.spark.sql.catalyst.expressions.If;
import org.apache.spark.sql.catalyst.expressions.IsNaN;
import org.apache.spark.sql.catalyst.expressions.IsNull;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.types.DataTypes;
import org.sqlml.expressions.CompiledModel;
import org.sqlml.expressions.IndexToLabel;
import org.sqlml.expressions.ModelOutput;
import org.sqlml.expressions.Probabilities;
import org.sqlml.expressions.Program;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Makes the expression of a call over the outputs of a compiled model. Each asks the model for no more outputs than it
 * takes.
 *
 * @param function predict, predict_proba or predict_outputs
 * @param inputs the columns that are the program's inputs
 * @param shown what EXPLAIN calls the model, after the function
 */
record OutputExpressions(String function, Program program, List<Expression> inputs, String shown) {

  /**
   * @param outputs the outputs of a struct; none where the function gives one value
   * @param threshold see ResolvedCall
   */
  Expression of(List<ResolvedCall.Output> outputs, Double threshold) {
    if (function.equals("predict_proba")) {
      return probabilities(false);
    }
    if (outputs.isEmpty()) {
      return prediction(threshold);
    }
    List<Expression> parts = new ArrayList<>();
    for (ResolvedCall.Output output : outputs) {
      parts.add(Literal.create(output.name(), DataTypes.StringType));
      parts.add(one(output, threshold));
    }
    Expression struct = new CreateNamedStruct(CollectionConverters.asScala(parts).toSeq());
    // For a row without an answer PREDICT is NULL, and so is each of the outputs.
    return function.equals("predict")
        ? new If(new IsNull(parts.get(1)), Literal.create(null, struct.dataType()), struct)
        : struct;
  }

  private Expression one(ResolvedCall.Output output, Double threshold) {
    return switch (output.kind()) {
      case "prediction" -> prediction(threshold);
      case "component" -> number(output.index());
      case "probability" -> number(output.index() + 1);
      case "score" -> score();
      case "mapped" -> probabilities(false);
      case "ranked" -> probabilities(true);
      default -> throw new IllegalArgumentException(output.kind());
    };
  }

  private Expression prediction(Double threshold) {
    if (program.labels() == null) {
      return number(0);
    }
    return new IndexToLabel(program.labels(), threshold == null ? number(0) : above(threshold));
  }

  /** The index of the label by a threshold; a probability that is NaN is not above it. */
  private Expression above(double threshold) {
    Expression second = number(2);
    Expression above = new And(new Not(new IsNaN(second)), new GreaterThan(second, constant(threshold)));
    Expression none = Literal.create(null, DataTypes.DoubleType);
    return new If(new IsNull(second), none, new If(above, constant(1), constant(0)));
  }

  private Expression score() {
    int labels = program.labels().count();
    if (labels == 2) {
      return number(2);
    }
    List<Expression> all = new ArrayList<>();
    for (int index = 1; index <= labels; index++) {
      all.add(number(index));
    }
    return labels == 1 ? all.get(0) : new Greatest(CollectionConverters.asScala(all).toSeq());
  }

  private Expression number(int index) {
    return new ModelOutput(index, new CompiledModel(program, shown, Set.of(index), inputs), function, "");
  }

  private Expression probabilities(boolean ranked) {
    Set<Integer> all = new TreeSet<>();
    for (int index = 1; index <= program.labels().count(); index++) {
      all.add(index);
    }
    return new Probabilities(program.labels(), new CompiledModel(program, shown, all, inputs), ranked, function);
  }

  private static Literal constant(double value) {
    return Literal.create(value, DataTypes.DoubleType);
  }
}
