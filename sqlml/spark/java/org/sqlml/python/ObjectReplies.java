package org.sqlml.python;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Replies of Python's that are objects of this JVM. Py4J sends no object but its number, and forgets the object as soon
 * as Python has no more use for it; a thread of its own says so, which may be sooner than the reply is read. So the
 * object is held here until it is.
 */
public final class ObjectReplies {
  private static final String MARK = "object reply ";
  private static final Map<String, Object> HELD = new ConcurrentHashMap<>();
  private static final AtomicLong COUNT = new AtomicLong();

  private ObjectReplies() {}

  /** Called by Python: holds a reply, and gives the text to answer with instead. */
  public static String hold(Object reply) {
    String key = MARK + COUNT.incrementAndGet();
    HELD.put(key, reply);
    return key;
  }

  /** The reply that was held, which is let go with that; any other as it is. */
  public static Object taken(Object reply) {
    return reply instanceof String text && text.startsWith(MARK) ? HELD.remove(text) : reply;
  }
}
