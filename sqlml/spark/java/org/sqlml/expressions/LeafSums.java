package org.sqlml.expressions;

import java.nio.ByteBuffer;

/**
 * The weights of leaves, aggregated for each target: added up in float32 or float64, in the order of the trees, or
 * their minimum or maximum.
 */
final class LeafSums {
  final int targets;
  final int trees;
  final boolean wide;
  final double[] base;

  /** Leaf i has the votes from starts[i] to starts[i + 1]; null where each has one, for the one target. */
  private final int[] starts;

  private final int[] target;
  private final float[] narrow;
  private final double[] weights;

  LeafSums(ByteBuffer in, boolean wide, int targets, int trees, int leaves, int votes, int bases) {
    this.wide = wide;
    this.targets = targets;
    this.trees = trees;
    int[] ends = TreeWalk.ints(in, leaves + 1);
    int[] targetOfVote = TreeWalk.ints(in, votes);
    boolean plain = targets == 1 && leaves == votes;
    starts = plain ? null : ends;
    target = plain ? null : targetOfVote;
    narrow = wide ? null : floats(in, votes);
    weights = wide ? doubles(in, votes) : null;
    base = new double[bases];
    for (int i = 0; i < bases; i++) {
      base[i] = wide ? in.getDouble() : in.getFloat();
    }
  }

  void sum(int[] leaves, double[] out) {
    if (starts != null) {
      sumEach(leaves, out);
    } else if (wide) {
      double sum = 0;
      for (int tree = 0; tree < trees; tree++) {
        sum += weights[leaves[tree]];
      }
      out[0] = sum;
    } else {
      float sum = 0;
      for (int tree = 0; tree < trees; tree++) {
        sum += narrow[leaves[tree]];
      }
      out[0] = sum;
    }
  }

  private void sumEach(int[] leaves, double[] out) {
    for (int i = 0; i < targets; i++) {
      out[i] = 0;
    }
    for (int tree = 0; tree < trees; tree++) {
      int leaf = leaves[tree];
      for (int vote = starts[leaf]; vote < starts[leaf + 1]; vote++) {
        int i = target[vote];
        out[i] = wide ? out[i] + weights[vote] : (float) out[i] + narrow[vote];
      }
    }
  }

  /** The smallest or the largest vote for each target; NaN where there is none. */
  void extreme(boolean largest, int[] leaves, double[] out) {
    for (int i = 0; i < targets; i++) {
      out[i] = Double.NaN;
    }
    for (int tree = 0; tree < trees; tree++) {
      int leaf = leaves[tree];
      int last = starts == null ? leaf + 1 : starts[leaf + 1];
      for (int vote = starts == null ? leaf : starts[leaf]; vote < last; vote++) {
        int i = target == null ? 0 : target[vote];
        double weight = wide ? weights[vote] : narrow[vote];
        boolean better = largest ? weight > out[i] : weight < out[i];
        out[i] = better || Double.isNaN(out[i]) ? weight : out[i];
      }
    }
  }

  private static float[] floats(ByteBuffer in, int count) {
    float[] found = new float[count];
    in.asFloatBuffer().get(found);
    in.position(in.position() + 4 * count);
    return found;
  }

  private static double[] doubles(ByteBuffer in, int count) {
    double[] found = new double[count];
    in.asDoubleBuffer().get(found);
    in.position(in.position() + 8 * count);
    return found;
  }
}
