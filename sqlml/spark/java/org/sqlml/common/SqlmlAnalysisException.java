package org.sqlml.common;

import java.util.Map;
import org.apache.spark.QueryContext;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.catalyst.trees.Origin;
import scala.Option;
import scala.Some;
import scala.collection.immutable.Map$;

/** An error found while a statement runs or a function call is resolved; see {@link SqlmlParseException}. */
public final class SqlmlAnalysisException extends AnalysisException {
  private final Failure failure;

  public SqlmlAnalysisException(Failure failure) {
    super(
        failure.message(),
        failure.origin().line(),
        failure.origin().startPosition(),
        Option.empty(),
        new Some<>(failure.condition()),
        Map$.MODULE$.empty(),
        new QueryContext[0]);
    this.failure = failure;
  }

  @Override
  public String getMessage() {
    return failure == null ? super.getMessage() : failure.display();
  }

  @Override
  public String getSimpleMessage() {
    return getMessage();
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

  /** Spark adds the place of the function call this way; a copy by the superclass would forget the condition. */
  @Override
  public AnalysisException withPosition(Origin origin) {
    if (failure.place() != null || origin.line().isEmpty() || origin.startPosition().isEmpty()) {
      return this;
    }
    int[] place = {(Integer) origin.line().get(), (Integer) origin.startPosition().get()};
    String text = origin.sqlText().isEmpty() ? null : origin.sqlText().get();
    SqlmlAnalysisException placed = new SqlmlAnalysisException(failure.at(place, text));
    placed.setStackTrace(getStackTrace());
    return placed;
  }
}
