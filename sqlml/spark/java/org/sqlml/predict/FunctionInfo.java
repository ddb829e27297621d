package org.sqlml.predict;

import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;

/** The documentation of sqlml's functions in SHOW FUNCTIONS, DESCRIBE FUNCTION and a driver's list of functions. */
public final class FunctionInfo {
  private static final String ARGUMENTS =
      """

          Arguments:
            * model - the bare name, which means the newest version, or a string: 'churn', 'churn/3' for
                a version, 'churn@champion' for an alias
      """;
  private static final String FEATURES =
      ARGUMENTS
          + """
                  * features - `*` for all columns in scope, by name; or columns and expressions, by
                      position or as name => expression
            """;
  private static final String OUTPUTS =
      ARGUMENTS
          + """
                  * outputs - a JSON object: '{}' for all, '{"threshold": 0.7}', '{"columns": {"score": "double"}}'
                  * features - as predict takes them
            """;

  private FunctionInfo() {}

  /**
   * @param name what SQL calls
   * @param function which of our functions it is
   */
  public static ExpressionInfo of(String name, String function) {
    return switch (function) {
      case "predict" ->
          info(
              name,
              "_FUNC_(model, features) - Returns what the model predicts for the row: the label, or a DOUBLE.",
              FEATURES,
              "_FUNC_(churn, *) FROM customers");
      case "predict_proba" ->
          info(
              name,
              "_FUNC_(model, features) - Returns the probability of each label, as a map.",
              FEATURES,
              "_FUNC_(churn, *)['yes'] FROM customers");
      case "predict_outputs" ->
          info(
              name,
              "_FUNC_(model, outputs, features) - Returns outputs of one run of the model, as a struct.",
              OUTPUTS,
              "_FUNC_('churn', '{}', *) FROM customers");
      case "predict_provenance" ->
          info(
              name,
              "_FUNC_(model) - Returns which version of the model scores in this query, as a struct.",
              ARGUMENTS,
              "_FUNC_(churn)");
      default -> new ExpressionInfo(PredictFunction.class.getName(), name);
    };
  }

  private static ExpressionInfo info(String name, String usage, String arguments, String call) {
    String examples = "\n    Examples:\n      > SELECT " + call + ";\n";
    return new ExpressionInfo(
        PredictFunction.class.getName(), null, name, usage, arguments, examples, "", "misc_funcs", "", "", "built-in");
  }
}
