package org.sqlml.expressions;

import java.io.InvalidObjectException;
import java.io.ObjectInputStream;
import java.io.ObjectStreamException;
import java.io.Serializable;
import java.lang.ref.SoftReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The trees of one operator of a model, as {@code sqlml/compiler/forest_packing.py} packs them. Never changes; any
 * number of threads may score with one. Tasks of a JVM share one instance for equal bytes.
 */
public final class Forest implements Serializable {
  private static final int MAGIC = 0x52465153; // "SQFR", little-endian
  private static final int VERSION = 1;

  /** Kinds: float32 throughout is 0. */
  private static final int DOUBLE = 1;

  private static final int ROUNDED = 2;

  /** By digest. Softly referenced: a forest that no task uses may be collected when memory is short. */
  private static final ConcurrentHashMap<ByteBuffer, SoftReference<Forest>> SHARED = new ConcurrentHashMap<>();

  private final transient byte[] packed;
  private final transient TreeWalk walk;
  private final transient EnsembleOutputs totals;

  /** The number of all nodes, which are splits and leaves, and of the splits alone. */
  private final transient int nodes;

  private final transient int splits;

  private Forest(byte[] packed) {
    this.packed = packed;
    ByteBuffer in = ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN);
    if (packed.length < 64 || in.getInt() != MAGIC || in.getInt() != VERSION) {
      throw new IllegalArgumentException("These bytes are not a model's trees, or they have another format version.");
    }
    int kind = in.getInt();
    int aggregate = in.getInt();
    int transform = in.getInt();
    int label = in.getInt();
    boolean half = in.getInt() != 0;
    boolean narrow = in.getInt() != 0 || kind == 0;
    int inputs = in.getInt();
    int targets = in.getInt();
    int trees = in.getInt();
    nodes = in.getInt();
    int leaves = in.getInt();
    int votes = in.getInt();
    int columns = in.getInt();
    int bases = in.getInt();
    walk = kind == DOUBLE
        ? new DoubleTreeWalk(in, inputs, columns, trees, nodes)
        : new FloatTreeWalk(in, inputs, columns, trees, nodes);
    splits = walk.splits();
    LeafSums sums = new LeafSums(in, kind == DOUBLE || kind == ROUNDED, targets, trees, leaves, votes, bases);
    totals = new EnsembleOutputs(sums, aggregate, transform, label, half, narrow);
  }

  /**
   * The trees in these bytes.
   *
   * @throws IllegalArgumentException the bytes were not made by this version of {@code
   *     sqlml/compiler/forest_packing.py}
   */
  public static Forest of(byte[] packed) {
    ByteBuffer digest = ByteBuffer.wrap(digest(packed));
    SoftReference<Forest> known = SHARED.get(digest);
    Forest found = known == null ? null : known.get();
    if (found == null) {
      // Two threads may read the same bytes at once; the later one's trees are the ones that are kept.
      found = new Forest(packed.clone());
      SHARED.values().removeIf(reference -> reference.get() == null);
      SHARED.put(digest, new SoftReference<>(found));
    }
    return found;
  }

  public byte[] packed() {
    return packed;
  }

  public int nodes() {
    return nodes;
  }

  public int splits() {
    return splits;
  }

  /** The columns that are looked at; not to be changed. */
  public int[] columns() {
    return walk.columns;
  }

  /** How many elements of a row are looked at: the last column that a node asks about, and those before it. */
  public int inputs() {
    return walk.inputs;
  }

  /** How many numbers a row gives; for a classifier, the scores of its classes and the index of the label. */
  public int outputs() {
    return totals.outputs;
  }

  /** How many steps it takes to score a row. */
  public long steps() {
    return walk.work();
  }

  /** Buffers for one thread, which scores one row after another. */
  public Scratch scratch() {
    return new Scratch(new long[walk.slots()], new int[walk.walked]);
  }

  /**
   * Scores one row.
   *
   * @param row at least {@code inputs()} numbers, not rounded where the trees take float32; NaN is missing
   * @param scratch of this forest, and of this thread alone
   * @param out what is given: {@code outputs()} numbers
   */
  public void score(double[] row, Scratch scratch, double[] out) {
    walk.leaves(row, scratch.keys, scratch.leaves);
    totals.of(scratch.leaves, out);
  }

  /** Scores a batch: {@code rows} and the result are row-major matrices of little-endian doubles. */
  public byte[] scoreAll(byte[] rows, int width) {
    ByteBuffer in = ByteBuffer.wrap(rows).order(ByteOrder.LITTLE_ENDIAN);
    double[] row = new double[Math.max(width, inputs())];
    double[] found = new double[outputs()];
    Scratch scratch = scratch();
    int count = rows.length / (8 * width);
    ByteBuffer out = ByteBuffer.allocate(8 * count * found.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      in.asDoubleBuffer().get(row, 0, width);
      in.position(in.position() + 8 * width);
      score(row, scratch, found);
      out.asDoubleBuffer().put(found);
      out.position(out.position() + 8 * found.length);
    }
    return out.array();
  }

  private static byte[] digest(byte[] packed) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(packed);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Forest && java.util.Arrays.equals(packed, ((Forest) other).packed);
  }

  @Override
  public int hashCode() {
    return java.util.Arrays.hashCode(packed);
  }

  private Object writeReplace() throws ObjectStreamException {
    return new Packed(packed);
  }

  private void readObject(ObjectInputStream in) throws InvalidObjectException {
    throw new InvalidObjectException("A forest travels as its bytes.");
  }

  /** The serialized form, which travels to executors. */
  private static final class Packed implements Serializable {
    private static final long serialVersionUID = 1L;
    private final byte[] packed;

    Packed(byte[] packed) {
      this.packed = packed;
    }

    private Object readResolve() throws ObjectStreamException {
      return of(packed);
    }
  }

  /** The buffers of a thread for a row's keys and leaves. Public, because the code that Spark generates has one. */
  public record Scratch(long[] keys, int[] leaves) {}
}
