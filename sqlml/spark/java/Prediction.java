package org.sqlml;

import java.util.List;
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction;

/**
 * What Python made of one PREDICT call.
 *
 * @param udf scores batches of rows
 * @param order for each of the model's features, the index of the argument that feeds it
 * @param version the version that was chosen; the rest of the query keeps to it
 */
public record Prediction(UserDefinedPythonFunction udf, List<Integer> order, String version) {}
