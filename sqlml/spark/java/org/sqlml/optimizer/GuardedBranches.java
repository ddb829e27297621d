package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.CaseWhen;
import org.apache.spark.sql.catalyst.expressions.Coalesce;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.EqualNullSafe;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.If;
import org.apache.spark.sql.catalyst.expressions.IsNaN;
import org.apache.spark.sql.catalyst.expressions.IsNotNull;
import org.apache.spark.sql.catalyst.expressions.IsNull;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NaNvl;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.expressions.Or;
import org.apache.spark.sql.catalyst.expressions.PythonUDF;
import org.apache.spark.sql.catalyst.expressions.TryEval;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.types.DataTypes;
import org.sqlml.common.Plans;
import org.sqlml.common.Seqs;
import org.sqlml.expressions.CompiledModel;
import org.sqlml.predict.PredictCall;
import org.sqlml.predict.PredictCalls;
import scala.Option;
import scala.Some;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The branches of an expression, each with its guard, which is its path condition: Spark evaluates the branch where the
 * guard is true, and neither where it is false nor where it is NULL. A guard that is null stands for a branch that is
 * always evaluated.
 */
final class GuardedBranches {
  private final List<Alias> drawn;

  /** The attempts of the surrounding try_ function, which are computed before it; null outside of one. */
  private List<Expression> attempts;

  /**
   * @param drawn takes conditions on random numbers, which have to be drawn once, for the guard and the branch; null where
   *     there can be none
   */
  GuardedBranches(List<Alias> drawn) {
    this.drawn = drawn;
  }

  /** An expression in which what Python scores under a guard is given arguments under the same guard. */
  Expression guarded(Expression expression, Expression guard) {
    if (!PredictCalls.contains(expression)) {
      return expression;
    }
    if (expression instanceof PredictCall call) {
      return call.over(scored(call.child(), guard, call.fallible()));
    }
    if (expression instanceof If choice) {
      Expression condition = condition(choice.predicate(), guard);
      Expression then = guarded(choice.trueValue(), both(guard, condition));
      return new If(condition, then, guarded(choice.falseValue(), both(guard, isNot(condition, true))));
    }
    if (expression instanceof CaseWhen choice) {
      return cases(choice, guard);
    }
    if (expression instanceof Coalesce first) {
      return new Coalesce(coalesced(first.children(), guard));
    }
    if (expression instanceof NaNvl first) {
      Expression left = condition(first.left(), guard);
      return new NaNvl(left, guarded(first.right(), both(guard, new IsNaN(left))));
    }
    if (expression instanceof And and) {
      Expression left = condition(and.left(), guard);
      return new And(left, guarded(and.right(), both(guard, isNot(left, false))));
    }
    if (expression instanceof Or or) {
      Expression left = condition(or.left(), guard);
      return new Or(left, guarded(or.right(), both(guard, isNot(left, true))));
    }
    if (expression instanceof TryEval attempt) {
      return attempted(attempt, guard);
    }
    if (expression instanceof AggregateExpression aggregate && aggregate.filter().isDefined()) {
      Expression filter = condition(aggregate.filter().get(), guard);
      List<Expression> children = List.of(guarded(aggregate.aggregateFunction(), both(guard, filter)), filter);
      return (Expression) aggregate.withNewChildren(Seqs.of(children));
    }
    return below(expression, guard);
  }

  private Expression below(Expression expression, Expression guard) {
    List<Expression> children = new ArrayList<>();
    CollectionConverters.asJava(expression.children()).forEach(child -> children.add(guarded(child, guard)));
    return (Expression) expression.withNewChildren(Seqs.of(children));
  }

  /** A call whose arguments are computed where the guard holds: those that can fail, or all of them. */
  private Expression scored(Expression answer, Expression guard, boolean all) {
    List<Expression> children = new ArrayList<>();
    for (Expression child : CollectionConverters.asJava(answer.children())) {
      if (!(answer instanceof PythonUDF)) {
        children.add(answer instanceof CompiledModel ? guarded(child, guard) : scored(child, guard, all));
      } else if ((guard == null && attempts == null) || (!all && PredictCalls.isPlain(child))) {
        children.add(guarded(child, guard));
      } else {
        children.add(argument(guarded(child, guard), guard));
      }
    }
    return children.isEmpty() ? answer : (Expression) answer.withNewChildren(Seqs.of(children));
  }

  private Expression argument(Expression value, Expression guard) {
    Expression computed = guard == null ? value : new If(guard, value, Literal.create(null, value.dataType()));
    if (attempts == null) {
      return computed;
    }
    Literal name = Literal.create("value", DataTypes.StringType);
    // NULL alone says that it failed.
    Expression attempt = new TryEval(new CreateNamedStruct(Seqs.of(List.of(name, computed))));
    attempts.add(new IsNotNull(attempt));
    return new GetStructField(attempt, 0, Option.empty());
  }

  /** A try_ function is NULL where an argument of a call in it fails. */
  private Expression attempted(TryEval attempt, Expression guard) {
    List<Expression> outside = attempts;
    attempts = new ArrayList<>();
    Expression value = new TryEval(guarded(attempt.child(), guard));
    List<Expression> computed = attempts;
    attempts = outside;
    return computed.isEmpty()
        ? value
        : new If(Plans.conjunction(computed), value, Literal.create(null, value.dataType()));
  }

  private Expression cases(CaseWhen choice, Expression guard) {
    List<Tuple2<Expression, Expression>> branches = new ArrayList<>();
    Expression reached = guard;
    for (Tuple2<Expression, Expression> branch : CollectionConverters.asJava(choice.branches())) {
      Expression condition = condition(branch._1(), reached);
      branches.add(new Tuple2<>(condition, guarded(branch._2(), both(reached, condition))));
      reached = both(reached, isNot(condition, true));
    }
    Option<Expression> otherwise = choice.elseValue();
    return new CaseWhen(
        Seqs.of(branches), otherwise.isEmpty() ? otherwise : new Some<>(guarded(otherwise.get(), reached)));
  }

  private Seq<Expression> coalesced(Seq<Expression> children, Expression guard) {
    List<Expression> found = new ArrayList<>();
    Expression reached = guard;
    for (Expression child : CollectionConverters.asJava(children)) {
      Expression value = condition(child, reached);
      found.add(value);
      reached = both(reached, new IsNull(value));
    }
    return Seqs.of(found);
  }

  /** A value that decides whether something else is evaluated. */
  private Expression condition(Expression value, Expression guard) {
    Expression found = guarded(value, guard);
    if (found.deterministic() || drawn == null) {
      return found;
    }
    Expression reached = guard == null ? found : new If(guard, found, Literal.create(null, found.dataType()));
    Alias column = PredictCalls.alias(reached);
    drawn.add(column);
    return column.toAttribute();
  }

  private static Expression both(Expression guard, Expression condition) {
    return guard == null ? condition : new And(guard, condition);
  }

  /** True where a condition is the other of two, and where it is NULL. */
  private static Expression isNot(Expression condition, boolean value) {
    return new Not(new EqualNullSafe(condition, Literal.create(value, DataTypes.BooleanType)));
  }
}
