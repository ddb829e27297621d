package org.sqlml;

import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction;
import scala.jdk.javaapi.CollectionConverters;

/**
 * What Python made of one PREDICT call.
 *
 * @param udf scores batches of rows; null where the model is compiled
 * @param compilation null where it is not
 * @param order for each of the model's inputs, the index of the argument that feeds it
 * @param casts for each of them the type (DDL) it has to be cast to first, or null
 * @param version the version that was chosen; the rest of the query keeps to it
 * @param transform what makes the model's features of the inputs; null where they are the features
 */
public record Prediction(
    UserDefinedPythonFunction udf,
    Compilation compilation,
    List<Integer> order,
    List<String> casts,
    String version,
    Transform.Stored transform) {

  /**
   * @param features which of the model's features the program takes
   * @param shown what EXPLAIN calls it
   */
  public record Compilation(Program program, List<Integer> features, String shown) {
    Expression over(List<Expression> given) {
      return Compiled.of(program, shown, features.stream().map(given::get).toList());
    }
  }

  /** The expression that scores; one feature after another. */
  Expression over(List<Expression> features) {
    return compilation == null
        ? udf.builder(CollectionConverters.asScala(features).toSeq())
        : compilation.over(features);
  }
}
