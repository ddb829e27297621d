package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Abs;
import org.apache.spark.sql.catalyst.expressions.Add;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.CaseWhen;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.Coalesce;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GreaterThan;
import org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.If;
import org.apache.spark.sql.catalyst.expressions.IsNotNull;
import org.apache.spark.sql.catalyst.expressions.IsNull;
import org.apache.spark.sql.catalyst.expressions.LessThan;
import org.apache.spark.sql.catalyst.expressions.LessThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Multiply;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.expressions.Or;
import org.apache.spark.sql.catalyst.expressions.Subtract;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.ObjectType;
import org.sqlml.common.Seqs;
import org.sqlml.expressions.FiniteOrElse;
import org.sqlml.expressions.Forest;
import org.sqlml.expressions.ForestScores;
import org.sqlml.expressions.IeeeOperation;
import org.sqlml.expressions.MonotoneFunction;
import org.sqlml.expressions.SlotReference;
import scala.Option;
import scala.Some;
import scala.Tuple2;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Partial evaluation of an expression of a program over domains of its inputs: constants are folded, dead branches of
 * CASE are gone, and trees lose the branches that no row can reach. An expression that no rule is for has the domain of
 * all values.
 *
 * @param expression what is left of it
 * @param domain the values that it may have
 */
record PartialEvaluation(Expression expression, ValueDomain domain) {
  private static final ValueDomain TRUTH = ValueDomain.between(0, 1);
  private static final double LARGEST = Double.MAX_VALUE;

  /**
   * @param slots what stands for each slot that the expression may read
   */
  static PartialEvaluation of(Expression original, List<PartialEvaluation> slots) {
    if (original instanceof Literal literal) {
      return new PartialEvaluation(literal, ValueDomain.of(literal.value(), literal.dataType()));
    }
    if (original instanceof SlotReference slot) {
      return slots.get(slot.ordinal());
    }
    if (original instanceof CaseWhen choice) {
      return chosen(choice, slots);
    }
    if (original instanceof If choice) {
      return chosen(
          new CaseWhen(
              Seqs.of(List.of(new Tuple2<>(choice.predicate(), choice.trueValue()))),
              new Some<>(choice.falseValue())),
          slots);
    }
    List<PartialEvaluation> parts = new ArrayList<>();
    for (Expression child : CollectionConverters.asJava(original.children())) {
      parts.add(of(child, slots));
    }
    if (original instanceof ForestScores scores) {
      return walked(scores, parts);
    }
    Expression made = original.withNewChildren(Seqs.of(parts.stream().map(PartialEvaluation::expression).toList()));
    boolean constant = parts.stream().allMatch(part -> part.expression() instanceof Literal);
    if (constant && made.deterministic() && !(made.dataType() instanceof ObjectType)) {
      return of(new Literal(made.eval(null), made.dataType()), slots);
    }
    List<ValueDomain> operands = parts.stream().map(PartialEvaluation::domain).toList();
    if (made instanceof FiniteOrElse && isFinite(operands.get(0))) {
      return parts.get(0);
    }
    boolean nulls = operands.stream().anyMatch(ValueDomain::nulls);
    ValueDomain found = domain(made, operands, nulls);
    return new PartialEvaluation(made, found == null ? ValueDomain.ANYTHING : found);
  }

  private static PartialEvaluation chosen(CaseWhen choice, List<PartialEvaluation> slots) {
    List<Tuple2<Expression, Expression>> left = new ArrayList<>();
    ValueDomain domain = null;
    PartialEvaluation otherwise = null;
    for (Tuple2<Expression, Expression> branch : CollectionConverters.asJava(choice.branches())) {
      PartialEvaluation condition = of(branch._1(), slots);
      if (!condition.domain().mayBeTrue()) {
        continue;
      }
      PartialEvaluation value = of(branch._2(), slots);
      if (condition.domain().isTrue()) {
        otherwise = value;
        break;
      }
      left.add(new Tuple2<>(condition.expression(), value.expression()));
      domain = domain == null ? value.domain() : domain.union(value.domain());
    }
    if (otherwise == null) {
      Expression last = choice.elseValue().isDefined() ? choice.elseValue().get() : new Literal(null, choice.dataType());
      otherwise = of(last, slots);
    }
    if (left.isEmpty()) {
      return otherwise;
    }
    return new PartialEvaluation(
        new CaseWhen(Seqs.of(left), Option.apply(otherwise.expression())), domain.union(otherwise.domain()));
  }

  /** Features that no split tests are pruned. */
  private static PartialEvaluation walked(ForestScores scores, List<PartialEvaluation> parts) {
    Forest forest = PrunedForest.of(scores.forest(), parts.stream().map(PartialEvaluation::domain).toList());
    Set<Integer> looked = new HashSet<>();
    Arrays.stream(forest.columns()).forEach(looked::add);
    List<Expression> row = new ArrayList<>();
    for (int column = 0; column < parts.size(); column++) {
      Expression part = parts.get(column).expression();
      row.add(looked.contains(column) ? part : new Literal(0.0, DataTypes.DoubleType));
    }
    return new PartialEvaluation(new ForestScores(forest, row), ValueDomain.ANYTHING);
  }

  // -- domains of operators --------------------------------------------------------------------------------------------

  private static ValueDomain domain(Expression made, List<ValueDomain> of, boolean nulls) {
    if (made instanceof IsNull || made instanceof IsNotNull) {
      boolean always = of.get(0).nulls() && Set.of().equals(of.get(0).values());
      ValueDomain is = !of.get(0).nulls() ? ValueDomain.between(0, 0) : always ? ValueDomain.between(1, 1) : TRUTH;
      return made instanceof IsNull ? is : not(is);
    }
    if (made instanceof Not) {
      return not(of.get(0));
    }
    if (made instanceof And || made instanceof Or) {
      ValueDomain a = of.get(0);
      ValueDomain b = of.get(1);
      boolean both = made instanceof And;
      double low = both ? Math.min(a.low(), b.low()) : Math.max(a.low(), b.low());
      double high = both ? Math.min(a.high(), b.high()) : Math.max(a.high(), b.high());
      // NULL OR true is true, which a bound of the other side alone does not say.
      return nulls ? TRUTH.orNull(true) : ValueDomain.between(low, high);
    }
    if (made instanceof Coalesce) {
      ValueDomain all = of.stream().reduce(ValueDomain::union).orElseThrow();
      boolean empty = of.stream().allMatch(ValueDomain::nulls);
      return new ValueDomain(empty, all.nans(), all.low(), all.high(), null);
    }
    if (made instanceof EqualTo same) {
      return equal(of.get(0), of.get(1), same.left().dataType()).orNull(nulls);
    }
    if (made instanceof FiniteOrElse) {
      double low = Math.max(of.get(0).low(), -LARGEST);
      ValueDomain number = ValueDomain.between(low, Math.min(of.get(0).high(), LARGEST));
      return of.get(1).union(number);
    }
    String operator = made instanceof IeeeOperation own ? own.operator() : "";
    if (operator.equals("==")) {
      return equal(of.get(0), of.get(1), made.children().head().dataType()).orNull(nulls);
    }
    if (made instanceof LessThan || made instanceof GreaterThan || operator.equals("<") || operator.equals(">")) {
      boolean less = made instanceof LessThan || operator.equals("<");
      // a < b is not b ≤ a
      return not(atMost(of.get(less ? 1 : 0), of.get(less ? 0 : 1), made)).orNull(nulls);
    }
    if (made instanceof LessThanOrEqual || made instanceof GreaterThanOrEqual || operator.endsWith("=")) {
      boolean less = made instanceof LessThanOrEqual || operator.equals("<=");
      return atMost(of.get(less ? 0 : 1), of.get(less ? 1 : 0), made).orNull(nulls);
    }
    return number(made, of, nulls);
  }

  private static boolean isFinite(ValueDomain number) {
    return !number.nulls() && !number.nans() && number.low() >= -LARGEST && number.high() <= LARGEST;
  }

  private static ValueDomain not(ValueDomain truth) {
    return new ValueDomain(truth.nulls(), false, 1 - truth.high(), 1 - truth.low(), null);
  }

  private static ValueDomain equal(ValueDomain left, ValueDomain right, DataType type) {
    if (left.values() != null && right.values() != null && Collections.disjoint(left.values(), right.values())) {
      // Texts only: of numbers that are equal, one may be written otherwise.
      if (type.equals(DataTypes.StringType)) {
        return ValueDomain.between(0, 0);
      }
    }
    if (!(type instanceof NumericType) || left.nans() || right.nans()) {
      return TRUTH;
    }
    return left.high() < right.low() || right.high() < left.low() ? ValueDomain.between(0, 0) : TRUTH;
  }

  private static ValueDomain atMost(ValueDomain left, ValueDomain right, Expression made) {
    if (!(made.children().head().dataType() instanceof NumericType) || left.nans() || right.nans()) {
      return TRUTH;
    }
    if (left.high() <= right.low()) {
      return ValueDomain.between(1, 1);
    }
    return left.low() > right.high() ? ValueDomain.between(0, 0) : TRUTH;
  }

  /** Interval arithmetic in float32 and float64: rounding is monotone, so bounds stay bounds. */
  private static ValueDomain number(Expression made, List<ValueDomain> of, boolean nulls) {
    boolean real = made.dataType() instanceof DoubleType || made.dataType() instanceof FloatType;
    if (!real || of.isEmpty() || of.stream().anyMatch(one -> one.nans() || one.low() > one.high())) {
      return null;
    }
    ValueDomain a = of.get(0);
    double[] corners;
    if (made instanceof Cast cast && cast.child().dataType() instanceof NumericType) {
      corners = new double[] {a.low(), a.high()};
    } else if (made instanceof MonotoneFunction function) {
      corners = new double[] {function.of(a.low()), function.of(a.high())};
    } else if (made instanceof Abs) {
      double least = a.low() <= 0 && a.high() >= 0 ? 0 : Math.min(Math.abs(a.low()), Math.abs(a.high()));
      corners = new double[] {least, Math.max(Math.abs(a.low()), Math.abs(a.high()))};
    } else if (made instanceof Add) {
      corners = new double[] {a.low() + of.get(1).low(), a.high() + of.get(1).high()};
    } else if (made instanceof Subtract) {
      corners = new double[] {a.low() - of.get(1).high(), a.high() - of.get(1).low()};
    } else if (made instanceof Multiply) {
      ValueDomain b = of.get(1);
      corners =
          new double[] {a.low() * b.low(), a.low() * b.high(), a.high() * b.low(), a.high() * b.high()};
    } else {
      return null;
    }
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    boolean moved = made instanceof Add || made instanceof Subtract || made instanceof Multiply;
    for (double corner : corners) {
      double rounded = made.dataType() instanceof FloatType ? (float) corner : corner;
      if (Double.isNaN(rounded) || moved && Double.isInfinite(rounded)) {
        // Arithmetic with infinite numbers may give NaN.
        return null;
      }
      low = Math.min(low, rounded);
      high = Math.max(high, rounded);
    }
    return new ValueDomain(nulls, false, low, high, null);
  }
}
