package org.sqlml.expressions;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.unsafe.types.UTF8String;

/** The places of texts by their bytes. Public, because the code that Spark generates calls it. */
public final class TextDictionary implements java.io.Serializable {
  private final Map<UTF8String, Long> places = new HashMap<>();
  private final long missing;

  /**
   * @param keys in their order
   * @param missing the place of NULL
   */
  TextDictionary(List<String> keys, long missing) {
    for (String key : keys) {
      places.putIfAbsent(UTF8String.fromString(key), (long) places.size());
    }
    this.missing = missing;
  }

  /** How many texts there are, where it is none of them. */
  public long place(UTF8String text) {
    Long place = text == null ? (Long) missing : places.get(text);
    return place == null ? places.size() : place;
  }
}
