package org.sqlml.expressions;

import java.nio.ByteBuffer;
import java.util.stream.LongStream;

/**
 * The traversal of trees that compare in float32. A node is one long: the key, the distance to its children, the slot.
 */
final class FloatTreeWalk extends TreeWalk {
  private final long[] nodes;

  FloatTreeWalk(ByteBuffer in, int inputs, int columns, int trees, int count) {
    super(in, inputs, columns, trees);
    int[] keys = ints(in, count);
    int[] links = ints(in, count);
    nodes = new long[count];
    for (int i = 0; i < count; i++) {
      nodes[i] = (long) keys[i] << 32 | (links[i] & 0xffffffffL);
    }
  }

  @Override
  int slots() {
    return 1 + 2 * columns.length;
  }

  @Override
  int splits() {
    return (int) LongStream.of(nodes).filter(node -> (int) node != 0).count();
  }

  @Override
  void leaves(double[] row, long[] x, int[] leaves) {
    x[0] = Integer.MIN_VALUE;
    for (int i = 0, slot = 1; i < columns.length; i++, slot += 2) {
      // −0.0 becomes 0.0.
      float value = (float) row[columns[i]] + 0.0f;
      int bits = Float.floatToRawIntBits(value);
      int key = bits ^ (bits >> 31 & 0x7fffffff);
      boolean missing = value != value;
      x[slot] = missing ? Integer.MAX_VALUE : key;
      x[slot + 1] = missing ? Integer.MIN_VALUE : key;
    }
    int whole = walked / TOGETHER;
    for (int group = 0; group < whole; group++) {
      ten(nodes, roots, order, group * TOGETHER, steps[group], x, leaves);
    }
    for (int index = whole * TOGETHER; index < walked; index++) {
      int n = roots[index];
      for (int step = 0; step < steps[whole]; step++) {
        n = step(nodes[n], n, x);
      }
      leaves[order[index]] = (int) (nodes[n] >> 32);
    }
  }

  private static int step(long node, int n, long[] x) {
    return n + ((int) node >> SLOT_BITS) + (int) ((node >> 32) - x[(int) node & SLOT_MASK] >>> 63);
  }

  private static void ten(
      long[] nodes, int[] roots, int[] order, int index, int steps, long[] x, int[] leaves) {
    int a = roots[index];
    int b = roots[index + 1];
    int c = roots[index + 2];
    int d = roots[index + 3];
    int e = roots[index + 4];
    int f = roots[index + 5];
    int g = roots[index + 6];
    int h = roots[index + 7];
    int i = roots[index + 8];
    int j = roots[index + 9];
    for (int step = 0; step < steps; step++) {
      a = step(nodes[a], a, x);
      b = step(nodes[b], b, x);
      c = step(nodes[c], c, x);
      d = step(nodes[d], d, x);
      e = step(nodes[e], e, x);
      f = step(nodes[f], f, x);
      g = step(nodes[g], g, x);
      h = step(nodes[h], h, x);
      i = step(nodes[i], i, x);
      j = step(nodes[j], j, x);
    }
    leaves[order[index]] = (int) (nodes[a] >> 32);
    leaves[order[index + 1]] = (int) (nodes[b] >> 32);
    leaves[order[index + 2]] = (int) (nodes[c] >> 32);
    leaves[order[index + 3]] = (int) (nodes[d] >> 32);
    leaves[order[index + 4]] = (int) (nodes[e] >> 32);
    leaves[order[index + 5]] = (int) (nodes[f] >> 32);
    leaves[order[index + 6]] = (int) (nodes[g] >> 32);
    leaves[order[index + 7]] = (int) (nodes[h] >> 32);
    leaves[order[index + 8]] = (int) (nodes[i] >> 32);
    leaves[order[index + 9]] = (int) (nodes[j] >> 32);
  }
}
