package org.sqlml.common;

/** Throws a checked exception where Scala, which has none, is the caller: {@code throw SneakyThrow.of(e)}. */
public final class SneakyThrow {
  private SneakyThrow() {}

  @SuppressWarnings("unchecked")
  public static <E extends Throwable> RuntimeException of(Throwable thrown) throws E {
    throw (E) thrown;
  }
}
