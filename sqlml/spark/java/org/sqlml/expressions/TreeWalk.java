package org.sqlml.expressions;

import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Tree traversal: from a row to the leaf of each tree. Ten trees are traversed together, so that a step of one need not
 * wait for the step of another (instruction-level parallelism), and a split is decided by the sign of a difference,
 * without a branch. A leaf is its own child, so that all ten make the same number of steps. Where a few trees are left
 * over, the last one is traversed again to make ten: one after the other they would take longer.
 */
public abstract class TreeWalk {
  static final int TOGETHER = 10;

  /** So many trees take no longer one after the other than ten together. */
  private static final int FEW = 2;

  public static final int SLOT_BITS = 12;
  public static final int SLOT_MASK = (1 << SLOT_BITS) - 1;

  final int inputs;

  /** How many trees are traversed, with those that are traversed again. */
  final int walked;

  /** The columns that splits test; each has a slot for each rule, after slot 0. */
  final int[] columns;

  /** The trees by their depth, so that those of one depth are traversed together, and where their roots are. */
  final int[] order;

  final int[] roots;

  /** For each ten trees the steps that are enough. */
  final int[] steps;

  TreeWalk(ByteBuffer in, int inputs, int columns, int trees) {
    this.inputs = inputs;
    int over = trees % TOGETHER;
    walked = over > FEW ? trees - over + TOGETHER : trees;
    this.columns = ints(in, columns);
    int[] starts = ints(in, trees);
    int[] deepest = ints(in, trees);
    // Nobody reads the leaf of a tree that is traversed again.
    IntStream again = IntStream.range(trees, walked);
    order = IntStream.concat(sorted(deepest), again).toArray();
    roots = IntStream.of(order).map(tree -> starts[Math.min(tree, trees - 1)]).toArray();
    steps = new int[(walked + TOGETHER - 1) / TOGETHER];
    for (int index = 0; index < walked; index++) {
      int group = index / TOGETHER;
      steps[group] = Math.max(steps[group], deepest[Math.min(order[index], trees - 1)]);
    }
    for (int column : this.columns) {
      if (column < 0 || column >= inputs) {
        throw new IllegalArgumentException("A node refers to a column that does not exist.");
      }
    }
  }

  private static IntStream sorted(int[] depths) {
    return IntStream.range(0, depths.length)
        .boxed()
        .sorted(Comparator.comparingInt(tree -> depths[tree]))
        .mapToInt(Integer::intValue);
  }

  /** How many steps all walks of a row are; what `sqlml/compiler/forest_packing.py` reckons with. */
  final long work() {
    long sum = 0;
    for (int group = 0; group < steps.length; group++) {
      sum += (long) steps[group] * Math.min(TOGETHER, walked - group * TOGETHER);
    }
    return sum;
  }

  abstract int slots();

  /** How many nodes are no leaves. */
  abstract int splits();

  /**
   * The number of the leaf that each tree ends in, of one row.
   *
   * @param keys of {@code slots()} elements, filled on the way
   * @param leaves of {@code walked} elements
   */
  abstract void leaves(double[] row, long[] keys, int[] leaves);

  public static int[] ints(ByteBuffer in, int count) {
    int[] found = new int[count];
    in.asIntBuffer().get(found);
    in.position(in.position() + 4 * count);
    return found;
  }

  public static long[] longs(ByteBuffer in, int count) {
    long[] found = new long[count];
    in.asLongBuffer().get(found);
    in.position(in.position() + 8 * count);
    return found;
  }
}
