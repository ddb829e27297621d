package org.sqlml;

import java.util.List;
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction;

/**
 * What Python made of one PREDICT call.
 *
 * @param udf scores batches of rows
 * @param used which of the model's features it takes
 * @param order for each of the model's inputs, the index of the argument that feeds it
 * @param casts for each of them the type (DDL) it has to be cast to first, or null
 * @param version the version that was chosen; the rest of the query keeps to it
 * @param transform what makes the model's features of the inputs; null where they are the features
 */
public record Prediction(
    UserDefinedPythonFunction udf,
    List<Integer> used,
    List<Integer> order,
    List<String> casts,
    String version,
    Transform.Stored transform) {}
