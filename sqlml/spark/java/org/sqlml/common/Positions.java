package org.sqlml.common;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.misc.Pair;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.catalyst.util.SparkParserUtils$;
import scala.Option;

/**
 * A source map: a text and its rewritten form, so that a position in the new text can be told in terms of the user's
 * own.
 *
 * <p>Offsets, columns and lengths count Unicode code points, as Python and Spark's parser do; lines count from 1,
 * columns from 0.
 */
public final class Positions {
  private final String original;
  private final String rewritten;
  /** {start, stop, newStart, newStop} each. A tree has as many nodes as its text has words: looked up by bisection. */
  private final int[][] edits;
  private final int[] originalLines;
  private final int[] rewrittenLines;

  /**
   * @param edits [[start, stop, newStart, newStop], …] ascending in the new text: original[start:stop] became
   *     rewritten[newStart:newStop], character by character where both are equally long
   */
  public Positions(String original, String rewritten, JsonNode edits) {
    this(original, rewritten, read(edits));
  }

  private Positions(String original, String rewritten, int[][] edits) {
    this.original = original;
    this.rewritten = rewritten;
    this.edits = edits;
    originalLines = lines(original);
    rewrittenLines = lines(rewritten);
  }

  private static int[][] read(JsonNode edits) {
    int[][] read = new int[edits.size()][];
    for (int i = 0; i < read.length; i++) {
      JsonNode edit = edits.get(i);
      read[i] = new int[] {edit.get(0).asInt(), edit.get(1).asInt(), edit.get(2).asInt(), edit.get(3).asInt()};
    }
    return read;
  }

  public String original() {
    return original;
  }

  public String rewritten() {
    return rewritten;
  }

  /** The same edits over a text that has every one of its characters where the rewritten one has it. */
  public Positions over(String text) {
    return new Positions(original, text, edits);
  }

  /** {line, column} in the user's text of an offset in the rewritten one. */
  public int[] place(int offset) {
    return place(originalLines, toOriginal(offset));
  }

  /** {line, column} in the user's text of a place in the rewritten one. */
  public int[] place(int[] place) {
    int line = Math.max(1, Math.min(place[0], rewrittenLines.length));
    return place(rewrittenLines[line - 1] + place[1]);
  }

  /** Spark's complaint about the rewritten text as one about the user's text. */
  public ParseException mapped(ParseException e) {
    if (e instanceof SqlmlParseException ours) {
      return ours.in(this);
    }
    if (e.getClass() != ParseException.class) {
      return e; // of another extension's parser: only that can make one of its own class and conditions
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
  public Origin mapped(Origin origin) {
    if (origin.startIndex().isEmpty() || origin.stopIndex().isEmpty()) {
      return origin;
    }
    int start = toOriginal((Integer) origin.startIndex().get());
    int stop = toOriginalEnd((Integer) origin.stopIndex().get() + 1);
    CommonToken first = token(place(originalLines, start));
    first.setStartIndex(start);
    CommonToken last = new CommonToken(0);
    last.setStopIndex(Math.max(start, stop - 1));
    return SparkParserUtils$.MODULE$.positionAndText(first, last, original, origin.objectType(), origin.objectName());
  }

  private int toOriginal(int offset) {
    int[] edit = lastBefore(offset + 1);
    if (edit == null) {
      return offset;
    }
    if (offset < edit[3]) {
      return edit[0] + (isMoved(edit) ? offset - edit[2] : 0);
    }
    return offset - (edit[3] - edit[1]);
  }

  /** The same for the end of a piece of text, which is the offset behind it. */
  private int toOriginalEnd(int offset) {
    int[] edit = lastBefore(offset);
    if (edit == null) {
      return offset;
    }
    if (offset <= edit[3]) {
      return isMoved(edit) ? edit[0] + offset - edit[2] : edit[1];
    }
    return offset - (edit[3] - edit[1]);
  }

  /** The last edit whose new text begins before an offset, or null. */
  private int[] lastBefore(int offset) {
    int from = 0;
    int to = edits.length;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (edits[middle][2] < offset) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from == 0 ? null : edits[from - 1];
  }

  /** Whether the characters of both sides correspond one by one. */
  private static boolean isMoved(int[] edit) {
    return edit[1] - edit[0] == edit[3] - edit[2];
  }

  /** The text with everything before an index (in UTF-16 units) blank, and every place in the rest unchanged. */
  public static String blankBefore(String text, int index) {
    StringBuilder blank = new StringBuilder(text.length());
    text.substring(0, index).codePoints().forEach(c -> blank.append(c == '\n' ? '\n' : ' '));
    return blank.append(text, index, text.length()).toString();
  }

  /** {line, column} of an offset. */
  public static int[] place(String text, int offset) {
    return place(lines(text), offset);
  }

  private static int[] place(int[] lines, int offset) {
    int found = Arrays.binarySearch(lines, offset);
    int line = found >= 0 ? found : -found - 2;
    return new int[] {line + 1, offset - lines[line]};
  }

  /** The offset at which each line of a text begins. */
  private static int[] lines(String text) {
    IntStream.Builder starts = IntStream.builder().add(0);
    int offset = 0;
    for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
      offset++;
      if (text.charAt(at) == '\n') {
        starts.add(offset);
      }
    }
    return starts.build().toArray();
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
