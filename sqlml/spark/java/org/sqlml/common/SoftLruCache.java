package org.sqlml.common;

import java.lang.ref.SoftReference;
import java.util.LinkedHashMap;
import java.util.Map;

/** An LRU cache of soft references: limited in size, and emptied before memory runs out. */
public final class SoftLruCache<K, V> {
  private final Map<K, SoftReference<V>> kept;

  public SoftLruCache(int most) {
    kept =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<K, SoftReference<V>> eldest) {
            return size() > most;
          }
        };
  }

  /** Null where there is none, or none any more. */
  public synchronized V get(K key) {
    SoftReference<V> found = kept.get(key);
    return found == null ? null : found.get();
  }

  public synchronized void put(K key, V made) {
    kept.put(key, new SoftReference<>(made));
  }
}
