package org.sqlml;

import java.nio.ByteBuffer;

/** Trees that compare in float32. A node is one long: the key, the distance to its children, the slot. */
final class WalkFloats extends Walk {
  private final long[] nodes;

  WalkFloats(ByteBuffer in, int inputs, int slots, int trees, int count) {
    super(in, inputs, slots, trees);
    int[] keys = ints(in, count);
    int[] links = ints(in, count);
    nodes = new long[count];
    for (int i = 0; i < count; i++) {
      nodes[i] = (long) keys[i] << 32 | (links[i] & 0xffffffffL);
    }
  }

  @Override
  void leaves(double[] row, long[] x, int[] leaves) {
    x[0] = Integer.MIN_VALUE;
    for (int slot = 1; slot < columns.length; slot++) {
      // −0.0 becomes 0.0; a NaN has one key, above that of infinity.
      float value = (float) row[columns[slot]] + 0.0f;
      int bits = Float.floatToIntBits(value);
      int key = bits ^ (bits >> 31 & 0x7fffffff);
      x[slot] = value != value && rules[slot] == BELOW ? Integer.MIN_VALUE : key;
    }
    int whole = trees / TOGETHER;
    for (int group = 0; group < whole; group++) {
      eight(nodes, roots, group * TOGETHER, x, leaves, least[group], most[group]);
    }
    for (int tree = whole * TOGETHER; tree < trees; tree++) {
      int n = roots[tree];
      for (int step = most[whole]; step > 0; step--) {
        n = step(nodes[n], n, x);
      }
      leaves[tree] = (int) (nodes[n] >> 32);
    }
  }

  private static int step(long node, int n, long[] x) {
    return n + ((int) node >> SLOT_BITS) + (int) ((node >> 32) - x[(int) node & SLOT_MASK] >>> 63);
  }

  private static void eight(long[] nodes, int[] roots, int tree, long[] x, int[] leaves, int least, int most) {
    int a = roots[tree];
    int b = roots[tree + 1];
    int c = roots[tree + 2];
    int d = roots[tree + 3];
    int e = roots[tree + 4];
    int f = roots[tree + 5];
    int g = roots[tree + 6];
    int h = roots[tree + 7];
    for (int step = 0; step < most; step++) {
      a = step(nodes[a], a, x);
      b = step(nodes[b], b, x);
      c = step(nodes[c], c, x);
      d = step(nodes[d], d, x);
      e = step(nodes[e], e, x);
      f = step(nodes[f], f, x);
      g = step(nodes[g], g, x);
      h = step(nodes[h], h, x);
    }
    leaves[tree] = (int) (nodes[a] >> 32);
    leaves[tree + 1] = (int) (nodes[b] >> 32);
    leaves[tree + 2] = (int) (nodes[c] >> 32);
    leaves[tree + 3] = (int) (nodes[d] >> 32);
    leaves[tree + 4] = (int) (nodes[e] >> 32);
    leaves[tree + 5] = (int) (nodes[f] >> 32);
    leaves[tree + 6] = (int) (nodes[g] >> 32);
    leaves[tree + 7] = (int) (nodes[h] >> 32);
  }
}
