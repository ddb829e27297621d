package org.sqlml.optimizer;

import java.util.HashSet;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Decimal;

/**
 * The value domain of an expression, for abstract interpretation: an interval, a set of values, and whether it may be
 * NULL or NaN. A superset of the values that it has in the rows concerned.
 *
 * @param nulls whether it may be NULL
 * @param nans whether it may be NaN
 * @param low the lower bound; a date, a timestamp and a boolean are numbers too. Above `high` if it is never a number.
 * @param high the upper bound
 * @param values the only values that it has where it is not NULL; null where that is not known
 */
record ValueDomain(boolean nulls, boolean nans, double low, double high, Set<Object> values) {
  static final ValueDomain ANYTHING =
      new ValueDomain(true, true, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, null);
  static final ValueDomain NULL = new ValueDomain(true, false, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Set.of());

  static ValueDomain between(double low, double high) {
    return new ValueDomain(false, false, low, high, null);
  }

  static ValueDomain of(Object value, DataType type) {
    if (value == null) {
      return NULL;
    }
    Double number = number(value);
    if (number == null) {
      return new ValueDomain(
          false, false, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, Set.of(value));
    }
    if (number.isNaN()) {
      return new ValueDomain(false, true, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Set.of(value));
    }
    boolean real = value instanceof Double || value instanceof Float;
    boolean exact = real || Math.abs(number) < 1L << 53 && !(value instanceof Decimal);
    // Zero has two signs, which are equal and not the same.
    Set<Object> values = number == 0 && real ? null : Set.of(value);
    return new ValueDomain(
        false, false, exact ? number : Math.nextDown(number), exact ? number : Math.nextUp(number), values);
  }

  /** A value as a number; null where it is none. */
  static Double number(Object value) {
    if (value instanceof Boolean truth) {
      return truth ? 1.0 : 0.0;
    }
    if (value instanceof Decimal decimal) {
      return decimal.toDouble();
    }
    return value instanceof Number number ? number.doubleValue() : null;
  }

  /** Whether it is constant, and could be a literal. */
  boolean isConstant() {
    return values != null && (nulls ? values.isEmpty() : values.size() == 1);
  }

  Literal literal(DataType type) {
    return new Literal(values.isEmpty() ? null : values.iterator().next(), type);
  }

  boolean mayBeTrue() {
    return high >= 1;
  }

  boolean isTrue() {
    return low >= 1 && !nulls;
  }

  /** The values that are in both. */
  ValueDomain intersect(ValueDomain other) {
    Set<Object> both = values == null ? other.values : values;
    if (values != null && other.values != null) {
      both = new HashSet<>(values);
      both.retainAll(other.values);
    }
    return new ValueDomain(
        nulls && other.nulls, nans && other.nans, Math.max(low, other.low), Math.min(high, other.high), both);
  }

  /** The values that are in one or the other. */
  ValueDomain union(ValueDomain other) {
    Set<Object> all = null;
    if (values != null && other.values != null) {
      all = new HashSet<>(values);
      all.addAll(other.values);
    }
    return new ValueDomain(
        nulls || other.nulls, nans || other.nans, Math.min(low, other.low), Math.max(high, other.high), all);
  }

  ValueDomain orNull(boolean also) {
    return new ValueDomain(nulls || also, nans, low, high, values);
  }

  ValueDomain withValues(Set<Object> only) {
    return new ValueDomain(nulls, nans, low, high, only);
  }

  /** The domain as an input of a program, to which NaN is NULL. */
  ValueDomain withoutNans() {
    Set<Object> left = values;
    if (nans && values != null) {
      left = new HashSet<>(values);
      left.removeIf(value -> value instanceof Number number && Double.isNaN(number.doubleValue()));
    }
    return new ValueDomain(nulls || nans, false, low, high, left);
  }
}
