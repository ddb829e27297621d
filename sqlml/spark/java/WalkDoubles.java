package org.sqlml;

import java.nio.ByteBuffer;

/** Trees that compare in float64. A node is a halved key, and an int with the distance to its children and the slot. */
final class WalkDoubles extends Walk {
  private final long[] keys;
  private final int[] links;

  WalkDoubles(ByteBuffer in, int inputs, int slots, int trees, int count) {
    super(in, inputs, slots, trees);
    keys = longs(in, count);
    links = ints(in, count);
  }

  @Override
  void leaves(double[] row, long[] x, int[] leaves) {
    x[0] = Long.MIN_VALUE >> 1;
    for (int slot = 1; slot < columns.length; slot++) {
      // −0.0 becomes 0.0; a NaN has one key, above that of infinity.
      double value = row[columns[slot]] + 0.0;
      long bits = Double.doubleToLongBits(value);
      long key = bits ^ (bits >> 63 & Long.MAX_VALUE);
      int rule = rules[slot];
      x[slot] = value != value && (rule & BELOW) != 0 ? Long.MIN_VALUE >> 1 : key + (rule >> 1) >> 1;
    }
    int whole = trees / TOGETHER;
    for (int group = 0; group < whole; group++) {
      eight(keys, links, roots, group * TOGETHER, x, leaves, least[group], most[group]);
    }
    for (int tree = whole * TOGETHER; tree < trees; tree++) {
      int n = roots[tree];
      for (int step = most[whole]; step > 0; step--) {
        n = step(keys[n], links[n], n, x);
      }
      leaves[tree] = (int) keys[n];
    }
  }

  private static int step(long key, int link, int n, long[] x) {
    return n + (link >> SLOT_BITS) + (int) (key - x[link & SLOT_MASK] >>> 63);
  }

  private static void eight(
      long[] keys, int[] links, int[] roots, int tree, long[] x, int[] leaves, int least, int most) {
    int a = roots[tree];
    int b = roots[tree + 1];
    int c = roots[tree + 2];
    int d = roots[tree + 3];
    int e = roots[tree + 4];
    int f = roots[tree + 5];
    int g = roots[tree + 6];
    int h = roots[tree + 7];
    for (int step = 0; step < most; step++) {
      a = step(keys[a], links[a], a, x);
      b = step(keys[b], links[b], b, x);
      c = step(keys[c], links[c], c, x);
      d = step(keys[d], links[d], d, x);
      e = step(keys[e], links[e], e, x);
      f = step(keys[f], links[f], f, x);
      g = step(keys[g], links[g], g, x);
      h = step(keys[h], links[h], h, x);
    }
    leaves[tree] = (int) keys[a];
    leaves[tree + 1] = (int) keys[b];
    leaves[tree + 2] = (int) keys[c];
    leaves[tree + 3] = (int) keys[d];
    leaves[tree + 4] = (int) keys[e];
    leaves[tree + 5] = (int) keys[f];
    leaves[tree + 6] = (int) keys[g];
    leaves[tree + 7] = (int) keys[h];
  }
}
