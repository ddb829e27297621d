package org.sqlml.python;

import org.apache.spark.sql.SparkSession;

/**
 * The questions of Java to Python; implemented by an object of sqlml/spark/bridge.py through Py4J.
 *
 * <p>A reply is JSON text, null, or an object of the JVM. What goes wrong comes back as a reply too, either as JSON
 * with a member "error" or as the Throwable that Spark itself threw; nothing is thrown across the border.
 */
public interface Handler {
  /**
   * The statement a text is: {"sql", "edits", "title", "schema", "query_offset", "query_end"}, where "sql" is the text with
   * its parameters' values and "edits" leads back; null when the text is not ours.
   *
   * @param values the parameters' values as SQL, JSON: {"named", "positional"}; or null
   */
  Object parse(String sql, String values);

  /** The parameter markers of one of our statements: {"markers": [[offset, name or null], …]}; null if there is none. */
  Object markers(String sql);

  // `user` is always who asks, as CurrentUser.of() knows it.

  /**
   * The text with its PREDICT calls made plain, and calls in the place of a script's statements of ours: {"text",
   * "edits": [[start, stop, newStart, newStop], …], "statements": [as of parse, …]}, or null.
   */
  Object rewrite(SparkSession session, String user, String sql, String values);

  /** Runs a statement; a java.util.List of Row. */
  Object run(SparkSession session, String user, StatementExecution call, String sql);

  /** The tables of the registry, as JSON: [{"name", "schema": Spark DDL, "comment"}, …]. */
  Object tables();

  /** The rows of one of them as they are now; a java.util.List of Row. */
  Object table(SparkSession session, String user, String name);

  /**
   * Resolves one call of a PREDICT function; a {@code ResolvedCall}.
   *
   * @param model a reference to a registered model, or a Dataset that has the bytes of any
   * @param outputs which outputs, as JSON; null for a function that has one
   * @param arguments JSON: [{"name": text or null, "type": Spark SQL type, "explicit": the user wrote the name}, …]
   * @param byName the arguments are bound by their names
   * @param pinned the version this query already uses of this model, or null
   */
  Object predict(
      SparkSession session,
      String user,
      String function,
      Object model,
      String outputs,
      String arguments,
      boolean byName,
      String pinned);

  /**
   * Whether a user may score with a model that was resolved for another one: true, or the error that says no.
   *
   * @param model as in {@code ScoringRight}
   */
  Object permit(SparkSession session, String user, String model, String digest);

  /**
   * The version of a model that a query uses; a {@code Provenance}.
   *
   * @param pinned as in predict
   */
  Object provenance(SparkSession session, String user, String model, String pinned);

  /**
   * The error that a view's column has another type than its model predicts by now.
   *
   * @param type the column's, as Spark SQL
   */
  Object retyped(SparkSession session, String user, String model, String digest, String view, String type, String now);
}
