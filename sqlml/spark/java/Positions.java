package org.sqlml;

import com.fasterxml.jackson.databind.JsonNode;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.misc.Pair;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.catalyst.util.SparkParserUtils$;
import scala.Option;

/**
 * A text and what became of it, so that a place in the new text can be told in terms of the user's own.
 *
 * <p>Offsets, columns and lengths count Unicode code points, as Python and Spark's parser do; lines count from 1,
 * columns from 0.
 */
final class Positions {
  private final String original;
  private final String rewritten;
  private final JsonNode edits;

  /**
   * @param edits [[start, stop, newStart, newStop], …] ascending in the new text: original[start:stop] became
   *     rewritten[newStart:newStop], character by character where both are equally long
   */
  Positions(String original, String rewritten, JsonNode edits) {
    this.original = original;
    this.rewritten = rewritten;
    this.edits = edits;
  }

  String original() {
    return original;
  }

  String rewritten() {
    return rewritten;
  }

  /** The same edits over a text that has every one of its characters where the rewritten one has it. */
  Positions over(String text) {
    return new Positions(original, text, edits);
  }

  /** {line, column} in the user's text of an offset in the rewritten one. */
  int[] place(int offset) {
    return place(original, toOriginal(offset));
  }

  /** {line, column} in the user's text of a place in the rewritten one. */
  int[] place(int[] place) {
    return place(offset(rewritten, place[0], place[1]));
  }

  /** Spark's complaint about the rewritten text as one about the user's text. */
  ParseException mapped(ParseException e) {
    if (e instanceof SqlmlParseException ours) {
      return ours.in(this);
    }
    Option<Object> line = e.start().line();
    Option<Object> column = e.start().startPosition();
    if (line.isEmpty() || column.isEmpty()) {
      return e.withCommand(original);
    }
    int[] place = place(new int[] {(Integer) line.get(), (Integer) column.get()});
    return new ParseException(e.getCondition(), e.messageParameters(), context(original, place));
  }

  /** The place of a node of the rewritten text's tree as one of the user's text. */
  Origin mapped(Origin origin) {
    if (origin.startIndex().isEmpty() || origin.stopIndex().isEmpty()) {
      return origin;
    }
    int start = toOriginal((Integer) origin.startIndex().get());
    int stop = toOriginalEnd((Integer) origin.stopIndex().get() + 1);
    CommonToken first = token(place(original, start));
    first.setStartIndex(start);
    CommonToken last = new CommonToken(0);
    last.setStopIndex(Math.max(start, stop - 1));
    return SparkParserUtils$.MODULE$.positionAndText(first, last, original, origin.objectType(), origin.objectName());
  }

  private int toOriginal(int offset) {
    int shift = 0;
    for (JsonNode edit : edits) {
      if (offset < edit.get(2).asInt()) {
        break;
      }
      if (offset < edit.get(3).asInt()) {
        return edit.get(0).asInt() + (isMoved(edit) ? offset - edit.get(2).asInt() : 0);
      }
      shift = edit.get(3).asInt() - edit.get(1).asInt();
    }
    return offset - shift;
  }

  /** Whether the characters of both sides correspond one by one. */
  private static boolean isMoved(JsonNode edit) {
    return edit.get(1).asInt() - edit.get(0).asInt() == edit.get(3).asInt() - edit.get(2).asInt();
  }

  /** The same for the end of a piece of text, which is the offset behind it. */
  private int toOriginalEnd(int offset) {
    int shift = 0;
    for (JsonNode edit : edits) {
      if (offset <= edit.get(2).asInt()) {
        break;
      }
      if (offset <= edit.get(3).asInt()) {
        return isMoved(edit) ? edit.get(0).asInt() + offset - edit.get(2).asInt() : edit.get(1).asInt();
      }
      shift = edit.get(3).asInt() - edit.get(1).asInt();
    }
    return offset - shift;
  }

  /** The text with everything before an index (in UTF-16 units) blank, and every place in the rest unchanged. */
  static String blankBefore(String text, int index) {
    StringBuilder blank = new StringBuilder(text.length());
    text.substring(0, index).codePoints().forEach(c -> blank.append(c == '\n' ? '\n' : ' '));
    return blank.append(text, index, text.length()).toString();
  }

  /** {line, column} of an offset. */
  static int[] place(String text, int offset) {
    int line = 1;
    int column = 0;
    int[] points = text.codePoints().limit(offset).toArray();
    for (int point : points) {
      if (point == '\n') {
        line++;
        column = 0;
      } else {
        column++;
      }
    }
    return new int[] {line, column};
  }

  /** The offset of a place. */
  private static int offset(String text, int line, int column) {
    int start = 0;
    for (int at = 1; at < line; at++) {
      start = text.indexOf('\n', start) + 1;
    }
    return text.codePointCount(0, start) + column;
  }

  /** A text and a place in it in the form that every version of Spark takes them in to make an exception. */
  static ParserRuleContext context(String text, int[] place) {
    ParserRuleContext context = new ParserRuleContext();
    context.start = new CommonToken(new Pair<>(null, CharStreams.fromString(text)), 0, 0, 0, 0);
    ((CommonToken) context.start).setLine(place[0]);
    ((CommonToken) context.start).setCharPositionInLine(place[1]);
    return context;
  }

  static Origin origin(int[] place) {
    return SparkParserUtils$.MODULE$.position(token(place));
  }

  private static CommonToken token(int[] place) {
    CommonToken token = new CommonToken(0);
    token.setLine(place[0]);
    token.setCharPositionInLine(place[1]);
    return token;
  }
}
