package org.sqlml.parser;

import java.util.Comparator;
import java.util.List;
import org.sqlml.common.ResourceTable;

/**
 * A scan for keywords that decides whether a text may be sqlml's: the first words of statements and the names of
 * functions. Every statement of every client passes here, so it allocates nothing and uses no regular expression; the
 * grammar itself is in Python.
 */
final class LeadingKeywords {
  /** The words statements begin with, longest first; the package's build writes them from the STATEMENTS table. */
  private static final List<String[]> HEADS =
      ResourceTable.read("heads.txt").stream()
          .sorted(Comparator.comparingInt((String[] words) -> words.length).reversed())
          .toList();

  private static final String BEGIN = "BEGIN";
  private static final String DECLARE = "DECLARE";
  private static final String CONDITION = "SQLML_";
  private static final String EXPLAIN = "EXPLAIN";
  private static final String[] EXPLAIN_MODES = {"EXTENDED", "CODEGEN", "COST", "FORMATTED"};
  private static final String FUNCTION = "predict";
  private static final List<String[]> FUNCTIONS = ResourceTable.read("functions.txt");

  private LeadingKeywords() {}

  /** Whether one of our statements' heads, as whole words, stands at a position. */
  static boolean startsStatement(String text, int start) {
    for (String[] head : HEADS) {
      if (afterWords(text, start, head) >= 0) {
        return true;
      }
    }
    return false;
  }

  /** Whether the text is a script that may have a statement of ours in it, or handle an error of ours. */
  static boolean mayHoldStatement(String text) {
    if (afterWord(text, skipBlank(text, 0), BEGIN) < 0) {
      return false;
    }
    for (int at = BEGIN.length(); at < text.length(); at++) {
      if (!isWordPart(text.charAt(at - 1)) && isWordPart(text.charAt(at))) {
        int declared = afterWord(text, at, DECLARE);
        if (declared < 0 ? startsStatement(text, at) : text.startsWith("@", declared)) {
          return true;
        }
        if (text.regionMatches(true, at, CONDITION, 0, CONDITION.length())) {
          return true;
        }
      }
    }
    return false;
  }

  /** The start of the statement that an EXPLAIN explains, or -1 when the text is no EXPLAIN. */
  static int afterExplain(String text, int start) {
    int at = afterWord(text, start, EXPLAIN);
    if (at < 0) {
      return -1;
    }
    for (String mode : EXPLAIN_MODES) {
      int after = afterWord(text, at, mode);
      if (after >= 0) {
        return after;
      }
    }
    return at;
  }

  /** The mode of an EXPLAIN as Spark's ExplainMode names it. */
  static String explainMode(String text, int start) {
    int at = afterWord(text, start, EXPLAIN);
    for (String mode : EXPLAIN_MODES) {
      if (afterWord(text, at, mode) >= 0) {
        return mode.toLowerCase(java.util.Locale.ROOT);
      }
    }
    return "simple";
  }

  /** Whether the text may call a function of ours: one of their names, which all have a word in them, and "(". */
  static boolean mayCallFunction(String text) {
    int last = text.length() - FUNCTION.length();
    for (int at = 0; at < last; at++) {
      if ((text.charAt(at) | 0x20) == 'p' && text.regionMatches(true, at, FUNCTION, 0, FUNCTION.length())) {
        int start = at;
        while (start > 0 && isWordPart(text.charAt(start - 1))) {
          start--;
        }
        int end = at + FUNCTION.length();
        while (end < text.length() && isWordPart(text.charAt(end))) {
          end++;
        }
        if (isFunction(text, start, end)
            && mayOpen(text, end < text.length() && text.charAt(end) == '`' ? end + 1 : end)) {
          return true;
        }
        at = end - 1;
      }
    }
    return false;
  }

  /**
   * Whether a parenthesis may be next. A comment may stand before it: to read each of many that are never closed would
   * take the square of the text's length.
   */
  private static boolean mayOpen(String text, int from) {
    int at = from;
    while (at < text.length() && isSpace(text.charAt(at))) {
      at++;
    }
    return text.startsWith("(", at) || text.startsWith("/*", at) || text.startsWith("--", at);
  }

  private static boolean isFunction(String text, int start, int end) {
    for (String[] names : FUNCTIONS) {
      if (names[0].length() == end - start && text.regionMatches(true, start, names[0], 0, end - start)) {
        return true;
      }
    }
    return false;
  }

  /** The position after the words and the blanks that follow them, or -1 when others stand there. */
  private static int afterWords(String text, int from, String[] words) {
    int at = from;
    for (int i = 0; i < words.length && at >= 0; i++) {
      at = afterWord(text, at, words[i]);
    }
    return at;
  }

  /** The position after the word and the blanks that follow it, or -1 when another one stands there. */
  private static int afterWord(String text, int from, String word) {
    int end = from + word.length();
    // Most texts end here, at a letter that differs in more than its case.
    if (end > text.length() || ((text.charAt(from) ^ word.charAt(0)) & ~0x20) != 0) {
      return -1;
    }
    if (!text.regionMatches(true, from, word, 0, word.length())
        || (end < text.length() && isWordPart(text.charAt(end)))) {
      return -1;
    }
    return skipBlank(text, end);
  }

  /** Skips white space, line comments, and bracketed comments (which nest in Spark; hints are such comments). */
  static int skipBlank(String text, int from) {
    int at = from;
    int length = text.length();
    while (at < length) {
      char c = text.charAt(at);
      if (c > '/' && c < 0x80) {
        return at;
      } else if (isSpace(c)) {
        at++;
      } else if (text.startsWith("--", at)) {
        int end = text.indexOf('\n', at);
        at = end < 0 ? length : end + 1;
      } else if (text.startsWith("/*", at)) {
        int depth = 1;
        at += 2;
        while (at < length && depth > 0) {
          if (text.startsWith("*/", at)) {
            depth--;
            at += 2;
          } else if (text.startsWith("/*", at)) {
            depth++;
            at += 2;
          } else {
            at++;
          }
        }
      } else {
        return at;
      }
    }
    return length;
  }

  private static boolean isSpace(char c) {
    return Character.isWhitespace(c) || c == '\u00a0' || c == '\ufeff';
  }

  private static boolean isWordPart(char c) {
    return c == '_' || Character.isLetterOrDigit(c);
  }
}
