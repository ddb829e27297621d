package org.sqlml.common;

import java.lang.reflect.Field;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.SupportQueryContext;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.catalyst.trees.TreeNode;
import scala.Product;
import scala.collection.Iterable;
import scala.collection.Iterator;

/**
 * Rewrites the origins of a parsed tree's nodes to positions in the user's text. Spark notes in every node where in the
 * parsed text it came from, and shows that in errors it finds long after the parser is done.
 */
public final class OriginRewriter {
  /** Final in Spark, and copied from node to node from here on: there is no later moment at which it could be told. */
  private static final Field ORIGIN = field();

  private final Positions positions;
  private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  private String compared;
  private boolean same;

  private OriginRewriter(Positions positions) {
    this.positions = positions;
  }

  /** Changes a tree that nobody else has yet. */
  public static Object mapped(Object tree, Positions positions) throws IllegalAccessException {
    new OriginRewriter(positions).visit(tree);
    return tree;
  }

  /** Subqueries and common table expressions are members of nodes without being their children. */
  private void visit(Object member) throws IllegalAccessException {
    if (member instanceof TreeNode<?> node) {
      if (!seen.add(node)) {
        return;
      }
      Origin origin = node.origin();
      if (origin.sqlText().isDefined() && isRewritten(origin.sqlText().get())) {
        ORIGIN.set(node, positions.mapped(origin));
        if (node instanceof SupportQueryContext expression) {
          // Made of the origin when the node was made, for errors at run time.
          expression.queryContext_$eq(expression.initQueryContext());
        }
      }
    }
    if (member instanceof Iterable<?> members) {
      visitAll(members.iterator());
    } else if (member instanceof Product product) {
      visitAll(product.productIterator());
    }
  }

  /** All nodes have one and the same text: it is compared once, however long it is. */
  private boolean isRewritten(String text) {
    if (text != compared) {
      compared = text;
      same = text.equals(positions.rewritten());
    }
    return same;
  }

  private void visitAll(Iterator<?> members) throws IllegalAccessException {
    while (members.hasNext()) {
      visit(members.next());
    }
  }

  private static Field field() {
    try {
      Field field = TreeNode.class.getDeclaredField("origin");
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException e) {
      throw new ExceptionInInitializerError(e);
    }
  }
}
