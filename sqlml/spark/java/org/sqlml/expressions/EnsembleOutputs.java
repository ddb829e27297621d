package org.sqlml.expressions;

/**
 * The outputs of a tree ensemble operator, from the leaves of a row, as ONNX Runtime 1.32 computes them.
 *
 * <p>A classifier's label:
 *
 * <ul>
 *   <li>weights for the first of two classes alone: s is the score of the second. The label is the second where s is
 *       above 0.5 if no weight is negative, and above 0 otherwise; the scores are 1 − s and s, or −s and s; with LOGISTIC
 *       σ(−s) and σ(s).
 *   <li>weights for the second of two classes, or for both: the second where its sum is above 0 (above 0.5 if it alone
 *       has weights and none is negative), however large the first's is.
 *   <li>more classes: the first of the largest sums.
 * </ul>
 */
final class EnsembleOutputs {
  private static final int AVERAGE = 0;
  private static final int SUM = 1;
  private static final int MAX = 3;
  private static final int SOFTMAX = 1;
  private static final int LOGISTIC = 2;
  private static final int SOFTMAX_ZERO = 3;
  private static final int NUMBERS = 0;
  private static final int ONE_OF_TWO = 1;
  private static final int TWO = 2;

  final int outputs;
  private final LeafSums votes;
  private final int aggregate;
  private final int transform;
  private final int label;
  private final boolean half;
  private final boolean narrow;

  EnsembleOutputs(LeafSums votes, int aggregate, int transform, int label, boolean half, boolean narrow) {
    this.votes = votes;
    this.aggregate = aggregate;
    this.transform = transform;
    this.label = label;
    this.half = half;
    this.narrow = narrow;
    outputs = label == NUMBERS ? votes.targets : label == ONE_OF_TWO ? 3 : votes.targets + 1;
  }

  void of(int[] leaves, double[] out) {
    if (aggregate <= SUM) {
      votes.sum(leaves, out);
    } else {
      votes.extreme(aggregate == MAX, leaves, out);
    }
    if (aggregate == AVERAGE) {
      for (int i = 0; i < votes.targets; i++) {
        out[i] = votes.wide ? out[i] / votes.trees : (float) out[i] / votes.trees;
      }
    }
    for (int i = 0; i < votes.base.length; i++) {
      out[i] = votes.wide ? out[i] + votes.base[i] : (float) out[i] + (float) votes.base[i];
    }
    for (int i = 0; aggregate > SUM && i < votes.targets; i++) {
      // Without a vote there is no base value either.
      out[i] = Double.isNaN(out[i]) ? 0 : out[i];
    }
    if (label != NUMBERS) {
      classify(out);
    } else if (narrow && votes.wide) {
      round(out, votes.targets);
    }
    if (transform != 0 && label != ONE_OF_TWO) {
      transform(out, votes.targets);
    }
  }

  private void classify(double[] out) {
    int classes = outputs - 1;
    double limit = half ? 0.5 : 0;
    if (label == ONE_OF_TWO) {
      double sum = out[0];
      out[2] = sum > limit ? 1 : 0;
      float second = (float) sum;
      if (transform == LOGISTIC) {
        float away = fromHalf(second);
        out[1] = 0.5f + away;
        out[0] = 0.5f - away;
      } else {
        out[1] = second;
        out[0] = half ? 1 - second : -second;
      }
      return;
    }
    int first = 0;
    for (int i = 1; i < classes; i++) {
      first = out[i] > out[first] ? i : first;
    }
    out[classes] = label == TWO ? (out[1] > limit ? 1 : 0) : first;
    round(out, classes);
  }

  private static void round(double[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = (float) out[i];
    }
  }

  /** The post-transform, in float32 but for exponentials, which are rounded to it. */
  private void transform(double[] out, int count) {
    if (transform == SOFTMAX || transform == SOFTMAX_ZERO) {
      softmax(out, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      out[i] = logistic((float) out[i]);
    }
  }

  private void softmax(double[] out, int count) {
    float largest = -Float.MAX_VALUE;
    for (int i = 0; i < count; i++) {
      largest = out[i] > largest ? (float) out[i] : largest;
    }
    float sum = 0;
    for (int i = 0; i < count; i++) {
      if (transform == SOFTMAX || Math.abs(out[i]) > 0.0000001f) {
        out[i] = (float) Math.exp((float) out[i] - largest);
        sum += (float) out[i];
      } else {
        out[i] = (float) out[i] * (float) Math.exp(-largest);
      }
    }
    for (int i = 0; i < count; i++) {
      out[i] = (float) out[i] / sum;
    }
  }

  private static float logistic(float x) {
    return 0.5f + fromHalf(x);
  }

  /** How far 1 / (1 + exp(−x)) is from 0.5: as far below it for −x as above for x. No difference here is rounded. */
  private static float fromHalf(float x) {
    return Math.copySign(1 / (1 + (float) Math.exp(-Math.abs(x))) - 0.5f, x);
  }
}
