package org.sqlml;

import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * From a row to the leaf of each tree. Eight trees are walked together, so that a step of one need not wait for the step
 * of another; what a node asks is answered by the sign of a difference, without a branch. A leaf stays where it is, so
 * all eight make the same number of steps.
 */
abstract class Walk {
  static final int TOGETHER = 8;
  static final int SLOT_BITS = 12;
  static final int SLOT_MASK = (1 << SLOT_BITS) - 1;

  final int inputs;
  final int trees;

  /** The columns that nodes look at; each has a slot for each rule, after slot 0. */
  final int[] columns;

  /** The trees by their depth, so that those of one depth are walked together, and where their roots are. */
  final int[] order;

  final int[] roots;

  /** For each eight trees the steps that are enough. */
  final int[] steps;

  Walk(ByteBuffer in, int inputs, int columns, int trees) {
    this.inputs = inputs;
    this.trees = trees;
    this.columns = ints(in, columns);
    int[] starts = ints(in, trees);
    int[] deepest = ints(in, trees);
    order = IntStream.range(0, trees)
        .boxed()
        .sorted(Comparator.comparingInt(tree -> deepest[tree]))
        .mapToInt(Integer::intValue)
        .toArray();
    roots = IntStream.of(order).map(tree -> starts[tree]).toArray();
    int groups = (trees + TOGETHER - 1) / TOGETHER;
    steps = new int[groups];
    for (int place = 0; place < trees; place++) {
      int group = place / TOGETHER;
      steps[group] = Math.max(steps[group], deepest[order[place]]);
    }
    for (int column : this.columns) {
      if (column < 0 || column >= inputs) {
        throw new IllegalArgumentException("A node looks at a column that there is not.");
      }
    }
  }

  abstract int slots();

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
