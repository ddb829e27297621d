package org.sqlml.optimizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sqlml.expressions.Forest;
import org.sqlml.expressions.TreeWalk;

/**
 * Dead branch elimination in a tree ensemble: rewrites the packed bytes of a {@link Forest} without the branches that
 * no row can reach.
 */
final class PrunedForest {
  /** The header: its size in bytes, and below the indices of its fields, counted in ints. */
  private static final int HEAD = 64;

  private static final int KIND = 2;
  private static final int TREES = 10;
  private static final int NODES = 11;
  private static final int COLUMNS = 14;
  private static final int DOUBLE = 1;
  private static final int FARTHEST = 1 << 31 - TreeWalk.SLOT_BITS;

  /** Ensembles with deeper trees are not pruned, because {@code depth} is recursive. */
  private static final int DEEPEST = 1_000;

  /** Larger ensembles are not pruned: pruning would cost the query more time than it saves. */
  private static final int MOST_NODES = 30_000;

  /** The largest share of nodes that may remain, unless a column goes: each query's pruned copy takes memory. */
  private static final double WORTH = 0.9;

  private final ByteBuffer in;
  private final int[] head = new int[HEAD / Integer.BYTES];
  private final int perColumn;
  private final int[] columns;
  private final int[] roots;
  private final long[] keys;
  private final int[] links;

  /** For each slot (see forest_packing.py), the smallest and the largest key of any row. */
  private final long[] least;

  private final long[] most;

  /** The nodes that are left, in their new order: for each new index the old one. */
  private final List<Integer> kept = new ArrayList<>();

  private final Map<Integer, Integer> children = new HashMap<>();

  private PrunedForest(byte[] packed, List<ValueDomain> row) {
    in = ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN);
    in.asIntBuffer().get(head);
    in.position(HEAD);
    boolean wide = head[KIND] == DOUBLE;
    perColumn = wide ? 4 : 2;
    columns = TreeWalk.ints(in, head[COLUMNS]);
    roots = TreeWalk.ints(in, head[TREES]);
    int[] depths = TreeWalk.ints(in, head[TREES]);
    keys = wide ? TreeWalk.longs(in, head[NODES]) : Arrays.stream(TreeWalk.ints(in, head[NODES])).asLongStream().toArray();
    links = TreeWalk.ints(in, head[NODES]);
    least = new long[1 + perColumn * columns.length];
    most = new long[least.length];
    least[0] = most[0] = Long.MIN_VALUE;
    for (int rank = 0; rank < columns.length; rank++) {
      fill(rank, row.get(columns[rank]), wide);
    }
    if (Arrays.stream(depths).max().orElse(0) > DEEPEST) {
      Arrays.fill(least, Long.MIN_VALUE);
      Arrays.fill(most, Long.MAX_VALUE);
    }
  }

  /**
   * The ensemble for rows within these domains; the same object where pruning is not worth it.
   *
   * @param row for each column what it may be; NULL and NaN are missing
   */
  static Forest of(Forest forest, List<ValueDomain> row) {
    if (row.stream().allMatch(ValueDomain.ANYTHING::equals) || forest.nodes() > MOST_NODES) {
      return forest;
    }
    PrunedForest pruned = new PrunedForest(forest.packed(), row);
    if (!pruned.isSmaller()) {
      return forest;
    }
    byte[] packed = pruned.pack();
    if (packed == null) {
      return forest;
    }
    boolean worth = pruned.kept.size() <= WORTH * forest.nodes() || pruned.head[COLUMNS] < forest.columns().length;
    return worth ? Forest.of(packed) : forest;
  }

  private void fill(int rank, ValueDomain domain, boolean wide) {
    boolean missing = domain.nulls() || domain.nans();
    boolean number = domain.low() <= domain.high();
    for (int rule = 0; rule < perColumn; rule++) {
      // The bits of a slot in forest_packing.py: NaN is below all numbers; a double's key is rounded up when halved.
      boolean below = (rule & 1) != 0;
      int up = rule >> 1;
      long first = number ? key(domain.low(), wide) : Long.MAX_VALUE - 1;
      long last = number ? key(domain.high(), wide) : Long.MIN_VALUE;
      if (missing) {
        long away = wide ? (below ? Long.MIN_VALUE : Long.MAX_VALUE - 1) : below ? Integer.MIN_VALUE : Integer.MAX_VALUE;
        first = Math.min(first, away);
        last = Math.max(last, away);
      }
      int slot = 1 + rank * perColumn + rule;
      least[slot] = wide ? first + up >> 1 : first;
      most[slot] = wide ? last + up >> 1 : last;
    }
  }

  private static long key(double number, boolean wide) {
    if (wide) {
      long bits = Double.doubleToRawLongBits(number + 0.0);
      return bits ^ (bits >> 63 & Long.MAX_VALUE);
    }
    int bits = Float.floatToRawIntBits((float) number + 0.0f);
    return bits ^ (bits >> 31 & 0x7fffffff);
  }

  /** Follows the splits that all rows decide the same way, down to the first leaf or undecided split. */
  private int next(int node) {
    int found = node;
    while (links[found] != 0) {
      int slot = links[found] & TreeWalk.SLOT_MASK;
      int pair = found + (links[found] >> TreeWalk.SLOT_BITS);
      if (most[slot] <= keys[found]) {
        found = pair;
      } else if (least[slot] > keys[found]) {
        found = pair + 1;
      } else {
        break;
      }
    }
    return found;
  }

  private boolean isSmaller() {
    for (int node = 0; node < links.length; node++) {
      if (next(node) != node) {
        return true;
      }
    }
    return false;
  }

  /** The bytes of the pruned ensemble; null if a link cannot encode the distance from a node to its children. */
  private byte[] pack() {
    int[] starts = new int[roots.length];
    for (int tree = 0; tree < roots.length; tree++) {
      starts[tree] = kept.size();
      int index = kept.size();
      kept.add(next(roots[tree]));
      for (; index < kept.size(); index++) {
        int node = kept.get(index);
        int pair = node + (links[node] >> TreeWalk.SLOT_BITS);
        if (links[node] != 0 && children.putIfAbsent(pair, kept.size()) == null) {
          kept.add(next(pair));
          kept.add(next(pair + 1));
        }
      }
    }
    for (int index = 0; index < kept.size(); index++) {
      if (Math.abs(child(index) - index) >= FARTHEST && child(index) >= 0) {
        return null;
      }
    }
    int[] ranks = new int[columns.length];
    int[] used = used(ranks);
    int[] depths = new int[kept.size()];
    Arrays.fill(depths, -1);
    boolean wide = head[KIND] == DOUBLE;
    int rest = in.remaining();
    int size = HEAD + 4 * used.length + 8 * roots.length + kept.size() * (wide ? 12 : 8) + rest;
    ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    head[NODES] = kept.size();
    head[COLUMNS] = used.length;
    Arrays.stream(head).forEach(out::putInt);
    Arrays.stream(used).forEach(out::putInt);
    Arrays.stream(starts).forEach(out::putInt);
    Arrays.stream(starts).map(start -> depth(start, depths)).forEach(out::putInt);
    for (int node : kept) {
      if (wide) {
        out.putLong(keys[node]);
      } else {
        out.putInt((int) keys[node]);
      }
    }
    for (int index = 0; index < kept.size(); index++) {
      out.putInt(link(index, ranks));
    }
    out.put(in.duplicate());
    return out.array();
  }

  private int child(int index) {
    int node = kept.get(index);
    return links[node] == 0 ? -1 : children.get(node + (links[node] >> TreeWalk.SLOT_BITS));
  }

  private int link(int index, int[] ranks) {
    int child = child(index);
    if (child < 0) {
      return 0;
    }
    int slot = (links[kept.get(index)] & TreeWalk.SLOT_MASK) - 1;
    return child - index << TreeWalk.SLOT_BITS | 1 + ranks[slot / perColumn] * perColumn + slot % perColumn;
  }

  private int depth(int index, int[] depths) {
    if (depths[index] < 0) {
      int child = child(index);
      depths[index] = child < 0 ? 0 : 1 + Math.max(depth(child, depths), depth(child + 1, depths));
    }
    return depths[index];
  }

  /** The columns that are still looked at; `ranks` says where each of them stands now. */
  private int[] used(int[] ranks) {
    boolean[] seen = new boolean[columns.length];
    for (int node : kept) {
      if (links[node] != 0) {
        seen[((links[node] & TreeWalk.SLOT_MASK) - 1) / perColumn] = true;
      }
    }
    int count = 0;
    int[] used = new int[columns.length];
    for (int rank = 0; rank < columns.length; rank++) {
      ranks[rank] = count;
      used[count] = columns[rank];
      count += seen[rank] ? 1 : 0;
    }
    return Arrays.copyOf(used, count);
  }
}
