package org.sqlml;

import java.nio.ByteBuffer;

/**
 * From a row to the leaf of each tree. Eight trees are walked together, so that a step of one need not wait for the step
 * of another; what a node asks is answered by the sign of a difference, without a branch. A leaf stays where it is, so
 * all eight make the same number of steps.
 */
abstract class Walk {
  static final int TOGETHER = 8;
  static final int SLOT_BITS = 12;
  static final int SLOT_MASK = (1 << SLOT_BITS) - 1;

  /** A slot's rule for NaN, which is above all numbers or below them. */
  static final int BELOW = 1;

  /** A slot whose key is rounded up when it is halved. */
  static final int UP = 2;

  final int inputs;
  final int trees;
  final int[] columns;
  final int[] rules;
  final int[] roots;

  /** For each eight trees: the steps that are made in any case, and the steps that are enough. */
  final int[] least;

  final int[] most;

  Walk(ByteBuffer in, int inputs, int slots, int trees) {
    this.inputs = inputs;
    this.trees = trees;
    columns = ints(in, slots);
    rules = ints(in, slots);
    roots = ints(in, trees);
    int[] deepest = ints(in, trees);
    int[] shallowest = ints(in, trees);
    int groups = (trees + TOGETHER - 1) / TOGETHER;
    least = new int[groups];
    most = new int[groups];
    for (int tree = 0; tree < trees; tree++) {
      int group = tree / TOGETHER;
      most[group] = Math.max(most[group], deepest[tree]);
      // As long as one of the eight cannot have come to a leaf, there is no need to look.
      least[group] = Math.max(least[group], shallowest[tree]);
    }
    for (int column : columns) {
      if (column < 0 || column >= Math.max(inputs, 1)) {
        throw new IllegalArgumentException("A slot looks at a column that there is not.");
      }
    }
  }

  int slots() {
    return columns.length;
  }

  /** The number of the leaf that each tree ends in, of one row; `keys` is filled on the way. */
  abstract void leaves(double[] row, long[] keys, int[] leaves);

  static int[] ints(ByteBuffer in, int count) {
    int[] found = new int[count];
    in.asIntBuffer().get(found);
    in.position(in.position() + 4 * count);
    return found;
  }

  static long[] longs(ByteBuffer in, int count) {
    long[] found = new long[count];
    in.asLongBuffer().get(found);
    in.position(in.position() + 8 * count);
    return found;
  }
}
