package org.sqlml.expressions;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.unsafe.types.UTF8String;

/** A dictionary from texts, by their bytes, to indexes. Public, because the code that Spark generates calls it. */
public final class TextDictionary implements java.io.Serializable {
  private final Map<UTF8String, Long> indexes = new HashMap<>();
  private final long missing;

  /**
   * @param keys in their order
   * @param missing the index of NULL
   */
  TextDictionary(List<String> keys, long missing) {
    for (String key : keys) {
      indexes.putIfAbsent(UTF8String.fromString(key), (long) indexes.size());
    }
    this.missing = missing;
  }

  /** The index of a text; the number of texts for one that is not among them. */
  public long indexOf(UTF8String text) {
    Long index = text == null ? (Long) missing : indexes.get(text);
    return index == null ? indexes.size() : index;
  }
}
