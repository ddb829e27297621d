package org.sqlml.common;

import java.util.Map;
import org.antlr.v4.runtime.ParserRuleContext;
import org.apache.spark.sql.catalyst.trees.Origin;

/**
 * One error as clients see it, whatever class of Spark's carries it.
 *
 * @param condition Spark's name for an error class: SQLML_MODEL_NOT_FOUND
 * @param message one line, with the condition in front as Spark writes it
 * @param place {line, column} in the user's text, or null
 * @param text the user's text, or null
 */
public record Failure(String condition, String sqlState, String message, int[] place, String text) {
  private static final int[] NOWHERE = {0, 0};

  Failure at(int[] newPlace, String newText) {
    return new Failure(condition, sqlState, message, newPlace, newText);
  }

  Origin origin() {
    return Positions.origin(place == null ? NOWHERE : place);
  }

  ParserRuleContext context() {
    return Positions.context(text == null ? "" : text, place == null ? NOWHERE : place);
  }

  Map<String, String> parameters() {
    return Map.of("message", message);
  }

  /** The message, its SQLSTATE and place, then the line of the user's text with a mark under the place. */
  String display() {
    StringBuilder shown = new StringBuilder(message);
    if (sqlState != null && !message.contains("SQLSTATE: ")) {
      shown.append(" SQLSTATE: ").append(sqlState);
    }
    if (place == null) {
      return shown.toString();
    }
    shown.append(" (line ").append(place[0]).append(", pos ").append(place[1]).append(')');
    if (text != null) {
      String[] lines = text.split("\n", -1);
      String line = place[0] <= lines.length ? lines[place[0] - 1] : "";
      shown.append("\n\n== SQL ==\n").append(line).append('\n').append("-".repeat(place[1])).append("^^^\n");
    }
    return shown.toString();
  }
}
