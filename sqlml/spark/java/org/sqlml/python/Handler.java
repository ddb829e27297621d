package org.sqlml.python;

import org.apache.spark.sql.SparkSession;

/**
 * Java's calls into Python; implemented through Py4J by an object of sqlml/spark/bridge.py.
 *
 * <p>A reply is JSON text, null, or an object of the JVM. What goes wrong comes back as a reply too, either as JSON
 * with a member "error" or as the Throwable that Spark itself threw; nothing is thrown across the border.
 */
public interface Handler {
  /**
   * Parses a statement: {"sql", "edits", "title", "schema", "query_offset", "query_end"}, where "sql" is the text with
   * its parameters' values and "edits" maps its offsets back to the text; null for a statement that is not sqlml's.
   *
   * @param values the parameters' values as SQL, JSON: {"named", "positional"}; or null
   */
  Object parse(String sql, String values);

  /** The parameter markers of one of our statements: {"markers": [[offset, name or null], …]}; null if there is none. */
  Object markers(String sql);

  // `user` is always who asks, as CurrentUser.of() knows it.

  /**
   * Rewrites a text for Spark's parser: PREDICT calls become ordinary function calls, and sqlml's statements in a SQL
   * script become CALL placeholders: {"text", "edits": [[start, stop, newStart, newStop], …], "statements": [as from
   * parse, …]}; null if nothing changes.
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
   * @param model a reference to a registered model, or a Dataset whose single value is the bytes of an ONNX model
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
   * Checks that a user may score with a model in a plan that was resolved for another user: true, or an error.
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
   * Always an error: the model of a view's column no longer predicts the column's type.
   *
   * @param type the column's type in Spark SQL
   * @param now the type that the model predicts now
   */
  Object retyped(SparkSession session, String user, String model, String digest, String view, String type, String now);
}
