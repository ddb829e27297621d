package org.sqlml.expressions;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeArrayData;
import org.apache.spark.sql.catalyst.util.ArrayBasedMapData;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.DataType;

/**
 * A model's labels, as values of Catalyst. Of the numbers that the model gives for a row the first is the index of the
 * predicted label, and the probabilities follow in the labels' order. Public, because the code that Spark generates
 * calls it.
 */
public final class Labels implements java.io.Serializable {
  private final Object[] values;
  private final DataType type;
  private final boolean unknown;

  /**
   * @param unknown whether the model may say none of them
   */
  Labels(List<Object> values, DataType type, boolean unknown) {
    this.values = values.toArray();
    this.type = type;
    this.unknown = unknown;
  }

  /** Whether a row may have an answer, and no label. */
  public boolean unknown() {
    return unknown;
  }

  public DataType type() {
    return type;
  }

  public int count() {
    return values.length;
  }

  public Object value(int index) {
    return values[index];
  }

  /** The label with an index; NULL for a negative one, which stands for no label. */
  public Object at(double index) {
    return index < 0 ? null : values[(int) index];
  }

  /** The probability of each label. */
  public MapData map(double[] numbers) {
    double[] shares = Arrays.copyOfRange(numbers, 1, numbers.length);
    return new ArrayBasedMapData(new GenericArrayData(values), UnsafeArrayData.fromPrimitiveArray(shares));
  }

  /** Labels and probabilities, the most probable first; of equal ones as the labels are ordered, and NaN last. */
  public ArrayData ranked(double[] numbers) {
    // Sorted by what is negative, since a NaN is the largest of all.
    Comparator<Integer> order = Comparator.comparingDouble(index -> 0.0 - numbers[index + 1]);
    return new GenericArrayData(
        IntStream.range(0, values.length)
            .boxed()
            .sorted(order)
            .map(index -> new GenericInternalRow(new Object[] {values[index], numbers[index + 1]}))
            .toArray(InternalRow[]::new));
  }
}
