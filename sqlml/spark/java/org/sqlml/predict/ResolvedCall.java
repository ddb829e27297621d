package org.sqlml.predict;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction;
import org.apache.spark.sql.types.DataType;
import org.sqlml.common.Json;
import org.sqlml.expressions.CompiledModel;
import org.sqlml.expressions.Labels;
import org.sqlml.expressions.OnnxProbabilities;
import org.sqlml.expressions.Probabilities;
import org.sqlml.expressions.Program;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A PREDICT call that Python has resolved: model, engine, and which arguments go where.
 *
 * @param udf scores batches of rows; null where the model is compiled
 * @param program scores in the query itself; null where the model is not compiled
 * @param shown what EXPLAIN calls it
 * @param used which of the model's features the one or the other takes
 * @param order for each of the model's inputs, the index of the argument that feeds it
 * @param casts for each of them the type (DDL) it has to be cast to first, or null
 * @param model the registered model's name; null where its bytes came with the query
 * @param version the version that was chosen; the rest of the query keeps to it
 * @param digest SHA-256 of the graph
 * @param lastKnownAt as in {@code Provenance}
 * @param transform what makes the model's features of the inputs; null where they are the features
 * @param labels whose probabilities the function gives in this order; null where it gives something else
 * @param texts for each of the model's features what its texts go through; null for what stays as it is,
 *     and for all of them where all stay
 * @param outputs of a program, which of several outputs the call gives; none where it gives one
 * @param threshold of two labels the second is said where its probability is above it; null leaves it to the model
 * @param cast the type (DDL) that the UDF's result is cast to, because Arrow knows no collations; null for none
 * @param fallible whether there may be values for which the model itself fails
 */
public record ResolvedCall(
    UserDefinedPythonFunction udf,
    Program program,
    String shown,
    List<Integer> used,
    List<Integer> order,
    List<String> casts,
    String model,
    String version,
    String digest,
    String lastKnownAt,
    TransformClause.Stored transform,
    Labels labels,
    List<TextEquality> texts,
    List<Output> outputs,
    Double threshold,
    String cast,
    boolean fallible) {

  /**
   * One of several outputs: sqlml.binding.outputs.
   *
   * @param index which of the labels' probabilities, or of several numbers
   */
  record Output(String name, String kind, int index) {
    static Output of(JsonNode described) {
      return new Output(described.get("name").asText(), described.get("kind").asText(), described.get("index").asInt());
    }
  }

  /**
   * Called by Python.
   *
   * @param description all the rest, as JSON: list by list and number by number over Py4J takes longer than the analysis
   */
  public static ResolvedCall of(
      UserDefinedPythonFunction udf,
      Program program,
      TransformClause.Stored transform,
      Labels labels,
      List<TextEquality> texts,
      String description) {
    JsonNode described = Json.read(description);
    return new ResolvedCall(
        udf,
        program,
        described.get("shown").asText(),
        list(described.get("used"), JsonNode::asInt),
        list(described.get("order"), JsonNode::asInt),
        list(described.get("casts"), cast -> cast.isNull() ? null : cast.asText()),
        described.get("model").textValue(),
        described.get("version").asText(),
        described.get("digest").textValue(),
        described.get("last_known_at").textValue(),
        transform,
        labels,
        texts,
        list(described.get("outputs"), Output::of),
        described.get("threshold").isNull() ? null : described.get("threshold").asDouble(),
        described.get("cast").textValue(),
        described.get("fallible").asBoolean());
  }

  private static <T> List<T> list(JsonNode nodes, Function<JsonNode, T> of) {
    List<T> found = new ArrayList<>();
    nodes.forEach(node -> found.add(of.apply(node)));
    return found;
  }

  /** The expression that scores, over the features that are used. */
  Expression over(String function, List<Expression> features) {
    if (program != null) {
      return new OutputExpressions(function, program, CompiledModel.inputs(program, features), shown).of(outputs, threshold);
    }
    Expression scored = udf.builder(CollectionConverters.asScala(features).toSeq());
    if (cast != null) {
      scored = Cast$.MODULE$.apply(scored, DataType.fromDDL(cast), false);
    }
    return labels == null ? scored : new Probabilities(labels, new OnnxProbabilities(scored), false, "");
  }
}
