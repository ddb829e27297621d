package org.sqlml.common;

import java.util.List;
import scala.collection.immutable.Nil$;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Immutable sequences of Scala, which Spark's constructors take. */
public final class Seqs {
  private Seqs() {}

  @SuppressWarnings("unchecked")
  public static <T> Seq<T> empty() {
    return (Seq<T>) (Object) Nil$.MODULE$;
  }

  public static <T> Seq<T> of(List<T> list) {
    return CollectionConverters.asScala(list).toSeq();
  }
}
