package org.sqlml.expressions;

import java.nio.ByteBuffer;
import java.util.stream.IntStream;

/** Trees that compare in float64. A node is a halved key, and an int: the distance to its children, the slot. */
final class DoubleTreeWalk extends TreeWalk {
  private final long[] keys;
  private final int[] links;

  DoubleTreeWalk(ByteBuffer in, int inputs, int columns, int trees, int count) {
    super(in, inputs, columns, trees);
    keys = longs(in, count);
    links = ints(in, count);
  }

  @Override
  int slots() {
    return 1 + 4 * columns.length;
  }

  @Override
  int splits() {
    return (int) IntStream.of(links).filter(link -> link != 0).count();
  }

  @Override
  void leaves(double[] row, long[] x, int[] leaves) {
    x[0] = Long.MIN_VALUE >> 1;
    for (int i = 0, slot = 1; i < columns.length; i++, slot += 4) {
      // −0.0 becomes 0.0.
      double value = row[columns[i]] + 0.0;
      long bits = Double.doubleToRawLongBits(value);
      long key = bits ^ (bits >> 63 & Long.MAX_VALUE);
      boolean missing = value != value;
      long above = missing ? Long.MAX_VALUE - 1 : key;
      long below = missing ? Long.MIN_VALUE : key;
      x[slot] = above >> 1;
      x[slot + 1] = below >> 1;
      x[slot + 2] = above + 1 >> 1;
      x[slot + 3] = below + 1 >> 1;
    }
    int whole = walked / TOGETHER;
    for (int group = 0; group < whole; group++) {
      ten(keys, links, roots, order, group * TOGETHER, steps[group], x, leaves);
    }
    for (int index = whole * TOGETHER; index < walked; index++) {
      int n = roots[index];
      for (int step = 0; step < steps[whole]; step++) {
        n = step(keys[n], links[n], n, x);
      }
      leaves[order[index]] = (int) keys[n];
    }
  }

  private static int step(long key, int link, int n, long[] x) {
    return n + (link >> SLOT_BITS) + (int) (key - x[link & SLOT_MASK] >>> 63);
  }

  private static void ten(
      long[] keys, int[] links, int[] roots, int[] order, int index, int steps, long[] x, int[] leaves) {
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
      a = step(keys[a], links[a], a, x);
      b = step(keys[b], links[b], b, x);
      c = step(keys[c], links[c], c, x);
      d = step(keys[d], links[d], d, x);
      e = step(keys[e], links[e], e, x);
      f = step(keys[f], links[f], f, x);
      g = step(keys[g], links[g], g, x);
      h = step(keys[h], links[h], h, x);
      i = step(keys[i], links[i], i, x);
      j = step(keys[j], links[j], j, x);
    }
    leaves[order[index]] = (int) keys[a];
    leaves[order[index + 1]] = (int) keys[b];
    leaves[order[index + 2]] = (int) keys[c];
    leaves[order[index + 3]] = (int) keys[d];
    leaves[order[index + 4]] = (int) keys[e];
    leaves[order[index + 5]] = (int) keys[f];
    leaves[order[index + 6]] = (int) keys[g];
    leaves[order[index + 7]] = (int) keys[h];
    leaves[order[index + 8]] = (int) keys[i];
    leaves[order[index + 9]] = (int) keys[j];
  }
}
