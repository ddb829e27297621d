package org.sqlml.common;

import java.util.Map;
import org.apache.spark.QueryContext;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.trees.Origin;
import scala.Option;
import scala.Some;

/**
 * An error found while parsing, with a condition that Spark's own catalogue of errors does not have.
 *
 * <p>The superclass looks its condition up in that catalogue, so it is given one that takes no parameters, and every
 * method a client asks is answered from the failure.
 */
public final class SqlmlParseException extends ParseException {
  private final Failure failure;
  private final Throwable because;

  public SqlmlParseException(Failure failure) {
    this(failure, null);
  }

  public SqlmlParseException(Failure failure, Throwable because) {
    super("PARSE_EMPTY_STATEMENT", failure.context());
    this.failure = failure;
    this.because = because;
  }

  /** An error of Spark's that ParserInterface does not declare, as one that it does. */
  public static SqlmlParseException of(SparkThrowable known, Throwable cause) {
    return new SqlmlParseException(
        new Failure(known.getCondition(), known.getSqlState(), cause.getMessage(), null, null), cause);
  }

  /** The same error about a text of which the parsed one was a part, at the same place. */
  SqlmlParseException in(String text) {
    return new SqlmlParseException(failure.at(failure.place(), text), because);
  }

  /** The same error about the text that the parsed one was made of. */
  SqlmlParseException in(Positions positions) {
    int[] place = failure.place() == null ? null : positions.place(failure.place());
    return new SqlmlParseException(failure.at(place, positions.original()), because);
  }

  @Override
  public String getMessage() {
    return failure == null ? super.getMessage() : failure.display();
  }

  @Override
  public synchronized Throwable getCause() {
    return because;
  }

  @Override
  public String getSimpleMessage() {
    return getMessage();
  }

  @Override
  public String message() {
    return failure.message();
  }

  @Override
  public String getCondition() {
    return failure.condition();
  }

  @Override
  public String getErrorClass() {
    return failure.condition();
  }

  @Override
  public Option<String> errorClass() {
    return new Some<>(failure.condition());
  }

  @Override
  public String getSqlState() {
    return failure.sqlState();
  }

  // Not in every version of Spark, hence no @Override.
  public Option<String> sqlState() {
    return new Some<>(failure.sqlState());
  }

  @Override
  public Map<String, String> getMessageParameters() {
    return failure.parameters();
  }

  /**
   * None. ParseException takes the context that the thread has while it parses the text of EXECUTE IMMEDIATE; with one,
   * PySpark asks Spark's own catalogue for the message of our condition.
   */
  @Override
  public QueryContext[] getQueryContext() {
    return new QueryContext[0];
  }

  @Override
  public ParseException withCommand(String command) {
    return in(command);
  }

  @Override
  public org.apache.spark.sql.AnalysisException withPosition(Origin origin) {
    return this;
  }
}
