package org.sqlml;

import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;

/** What SHOW FUNCTIONS, DESCRIBE FUNCTION and a driver's list of functions say of ours. */
final class FunctionInfo {
  private static final String ARGUMENTS =
      """

          Arguments:
            * model - its bare name, which is the newest version, or a text: 'churn', 'churn/3' for
                a version, 'churn@champion' for an alias
            * features - `*` for the columns in scope by their names; or columns and expressions, by
                position or as name => expression
      """;

  private FunctionInfo() {}

  /**
   * @param name what SQL calls
   * @param function `predict` or `predict_proba`, which it is
   */
  static ExpressionInfo of(String name, String function) {
    boolean label = function.equals("predict");
    String usage =
        label
            ? "_FUNC_(model, features) - Returns what the model predicts for the row: the label, or a DOUBLE."
            : "_FUNC_(model, features) - Returns the probability of each label, as a map.";
    String call = label ? "_FUNC_(churn, *)" : "_FUNC_(churn, *)['yes']";
    String examples =
        """

            Examples:
              > SELECT id, %s FROM customers;
              > SELECT _FUNC_('churn@champion', age => 30, plan => 'basic');
        """
            .formatted(call);
    return new ExpressionInfo(
        PredictFunction.class.getName(), null, name, usage, ARGUMENTS, examples, "", "misc_funcs", "", "", "built-in");
  }
}
