package org.sqlml.common;

import java.util.function.UnaryOperator;
import scala.Function1;
import scala.runtime.AbstractPartialFunction;

/**
 * A partial function for Spark's TreeNode.transform, made of a Java function that returns null where the node stays as
 * it is.
 */
public final class TreeTransform<T> extends AbstractPartialFunction<T, T> {
  private final UnaryOperator<T> change;

  private TreeTransform(UnaryOperator<T> change) {
    this.change = change;
  }

  public static <T> TreeTransform<T> by(UnaryOperator<T> change) {
    return new TreeTransform<>(change);
  }

  @Override
  public boolean isDefinedAt(T node) {
    return change.apply(node) != null;
  }

  @Override
  public T apply(T node) {
    return change.apply(node);
  }

  /** Spark asks by this one alone, so that a change is computed once. */
  @Override
  @SuppressWarnings("unchecked")
  public <A extends T, B> B applyOrElse(A node, Function1<A, B> otherwise) {
    T changed = change.apply(node);
    return changed == null ? otherwise.apply(node) : (B) changed;
  }
}
