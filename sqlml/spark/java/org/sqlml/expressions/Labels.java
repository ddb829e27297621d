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
 * A model's labels, as Spark keeps values inside. Of the numbers that the model gives for a row the first is which label it
 * says, and the probabilities follow in the labels' order. Public, because the code that Spark generates calls it.
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

  public Object value(int place) {
    return values[place];
  }

  /** NULL where it is none of them, which is a place below 0. */
  public Object at(double place) {
    return place < 0 ? null : values[(int) place];
  }

  /** The probability of each label. */
  public MapData map(double[] numbers) {
    double[] shares = Arrays.copyOfRange(numbers, 1, numbers.length);
    return new ArrayBasedMapData(new GenericArrayData(values), UnsafeArrayData.fromPrimitiveArray(shares));
  }

  /** Labels and probabilities, the most probable first; of equal ones as the labels are ordered, and NaN last. */
  public ArrayData ranked(double[] numbers) {
    // Sorted by what is negative, since a NaN is the largest of all.
    Comparator<Integer> order = Comparator.comparingDouble(place -> 0.0 - numbers[place + 1]);
    return new GenericArrayData(
        IntStream.range(0, values.length)
            .boxed()
            .sorted(order)
            .map(place -> new GenericInternalRow(new Object[] {values[place], numbers[place + 1]}))
            .toArray(InternalRow[]::new));
  }
}
