package org.sqlml.expressions;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkException;
import org.apache.spark.sql.catalyst.util.CollationFactory;
import org.apache.spark.unsafe.types.UTF8String;
import org.sqlml.common.SneakyThrow;

/**
 * A dictionary from a collation's sort keys to one spelling of each text that a model knows. The keys are computed
 * where the query runs: those of ICU differ between versions of Spark. Public, because the code that Spark generates
 * calls it.
 */
public final class KnownSpellings implements java.io.Serializable {
  private final String collation;
  private final Map<UTF8String, UTF8String> texts = new HashMap<>();

  /** By sort key; computed once a process. */
  private transient volatile Map<UTF8String, UTF8String> byKey;

  private transient int id;

  private KnownSpellings(String collation, List<String> texts) {
    this.collation = collation;
    for (String text : texts) {
      UTF8String spelling = UTF8String.fromString(text);
      this.texts.put(spelling, spelling);
    }
  }

  /** Throws Spark's error for a collation that there is not. */
  public static KnownSpellings of(String collation, List<String> texts) {
    KnownSpellings made = new KnownSpellings(collation, texts);
    made.byKey = made.keys();
    return made;
  }

  /** The known spelling of a text; the text itself where it is none of the known ones. */
  public UTF8String known(UTF8String text) {
    UTF8String same = texts.get(text);
    if (same != null) {
      return same;
    }
    if (byKey == null) {
      byKey = keys();
    }
    UTF8String found = byKey.get(key(text));
    return found == null ? text : found;
  }

  private Map<UTF8String, UTF8String> keys() {
    try {
      id = CollationFactory.collationNameToId(collation);
    } catch (SparkException e) {
      throw SneakyThrow.of(e);
    }
    Map<UTF8String, UTF8String> found = new HashMap<>();
    texts.keySet().forEach(text -> found.put(key(text), text));
    return found;
  }

  private UTF8String key(UTF8String text) {
    return UTF8String.fromBytes(CollationFactory.getCollationKeyBytes(text, id));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KnownSpellings one && one.collation.equals(collation) && one.texts.equals(texts);
  }

  @Override
  public int hashCode() {
    return 31 * collation.hashCode() + texts.hashCode();
  }
}
