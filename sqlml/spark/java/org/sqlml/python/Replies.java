package org.sqlml.python;

import com.fasterxml.jackson.databind.JsonNode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlml.common.Failure;
import org.sqlml.common.Json;
import org.sqlml.common.Positions;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.SqlmlAnalysisException;
import org.sqlml.common.SqlmlParseException;

/** Reads Python's replies: values as they are, errors as exceptions of Spark's classes. */
public final class Replies {
  private static final Logger LOG = LoggerFactory.getLogger("org.sqlml.python");

  private static final Failure NO_ANSWER =
      new Failure(
          "SQLML_ENGINE_FAILED",
          "58000",
          "[SQLML_ENGINE_FAILED] Python did not answer. Run the statement again. The driver's log has the details.",
          null,
          null);

  private Replies() {}

  /** The reply to a question of the parser; null when the text is not ours. */
  public static JsonNode parsed(Object reply, String text) throws Throwable {
    if (reply instanceof Throwable thrown) {
      throw thrown;
    }
    if (reply == null) {
      return null;
    }
    JsonNode node = Json.read((String) reply);
    if (node.has("error")) {
      JsonNode error = node.get("error");
      boolean placed = error.hasNonNull("offset") && text != null;
      int[] place = placed ? Positions.place(text, error.get("offset").asInt()) : null;
      throw new SqlmlParseException(failure(error, place, placed ? text : null));
    }
    return node;
  }

  /** The reply to a question that is answered by an object; the positions are the statement's, or null. */
  public static <T> T object(Object reply, Class<T> type, Positions positions) {
    if (reply instanceof Throwable thrown) {
      throw SneakyThrow.of(thrown);
    }
    if (type.isInstance(reply)) {
      return type.cast(reply);
    }
    if (reply == null) {
      throw SneakyThrow.of(new SqlmlAnalysisException(NO_ANSWER));
    }
    JsonNode error = Json.read((String) reply).get("error");
    boolean placed = error.hasNonNull("offset") && positions != null;
    throw SneakyThrow.of(
        new SqlmlAnalysisException(
            failure(
                error,
                placed ? positions.place(error.get("offset").asInt()) : null,
                placed ? positions.original() : null)));
  }

  private static Failure failure(JsonNode error, int[] place, String text) {
    if (error.hasNonNull("traceback")) {
      LOG.error("A statement failed in Python:\n{}", error.get("traceback").asText());
    }
    return new Failure(
        error.get("condition").asText(), error.get("sqlstate").asText(), error.get("message").asText(), place, text);
  }
}
