package org.sqlml.predict;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.ConditionalExpression;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.Or;
import org.apache.spark.sql.catalyst.expressions.PreciseTimestampConversion;
import org.apache.spark.sql.catalyst.expressions.PythonUDF;
import org.apache.spark.sql.catalyst.expressions.StringTrimRight;
import org.apache.spark.sql.catalyst.expressions.UnixDate;
import org.apache.spark.sql.catalyst.plans.QueryPlan;
import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.NumericType;
import org.sqlml.common.Plans;
import org.sqlml.expressions.CanonicalText;
import org.sqlml.expressions.CompiledModel;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/** Finds the calls of models in plans and expressions, and tells which may be computed early or together. */
public final class PredictCalls {
  private static final AbstractFunction1<Expression, Object> IS_CALL =
      new AbstractFunction1<>() {
        @Override
        public Object apply(Expression expression) {
          return expression instanceof PredictCall;
        }
      };
  private static final AbstractFunction1<LogicalPlan, Object> HAS_CALL =
      new AbstractFunction1<>() {
        @Override
        public Object apply(LogicalPlan plan) {
          return plan.expressions().exists(IS_ABOVE_CALL);
        }
      };
  private static final AbstractFunction1<Expression, Object> IS_ABOVE_CALL =
      new AbstractFunction1<>() {
        @Override
        public Object apply(Expression expression) {
          return contains(expression);
        }
      };

  private PredictCalls() {}

  /**
   * Whether a plan may call a model, itself or in a subquery: a check of tree patterns, without a traversal, that may
   * be true of a plan without a call. A command's query may be an inner child, so its patterns are not the command's.
   */
  static boolean mayContain(LogicalPlan plan) {
    return plan.containsPattern(PredictCall.PATTERN) || plan instanceof Command;
  }

  /** Whether a plan calls a model; the plans of its subqueries are optimized by themselves. */
  public static boolean contains(LogicalPlan plan) {
    return plan.containsPattern(PredictCall.PATTERN) && plan.exists(HAS_CALL);
  }

  public static boolean contains(Expression expression) {
    return expression.containsPattern(PredictCall.PATTERN) && expression.exists(IS_CALL);
  }

  /** The calls in the expressions of one node, each once. */
  public static List<PredictCall> of(QueryPlan<?> node) {
    List<PredictCall> found = new ArrayList<>();
    CollectionConverters.asJava(node.expressions()).forEach(expression -> add(expression, found));
    return found;
  }

  /**
   * The calls in a filter's condition that may be computed below the filter, each once: those that it evaluates for
   * every row, and those whose arguments cannot fail. `IF(a != 0, PREDICT(m, 1 / a), false)` has none: 1 / a may fail.
   */
  public static List<PredictCall> computableBefore(Expression condition) {
    List<PredictCall> found = new ArrayList<>();
    computableBefore(condition, true, found);
    return found;
  }

  private static void computableBefore(Expression expression, boolean always, List<PredictCall> found) {
    if (expression instanceof PredictCall call) {
      boolean may = always || (!call.fallible() && cannotFail(call.child()));
      if (may && found.stream().noneMatch(call::semanticEquals)) {
        found.add(call);
      }
      return;
    }
    List<Expression> children = CollectionConverters.asJava(expression.children());
    List<Expression> certain =
        expression instanceof ConditionalExpression choice
            ? CollectionConverters.asJava(choice.alwaysEvaluatedInputs())
            : expression instanceof And || expression instanceof Or ? children.subList(0, 1) : children;
    for (Expression child : children) {
      computableBefore(child, always && certain.stream().anyMatch(one -> one == child), found);
    }
  }

  /** Whether evaluating the inputs of an expression's models cannot fail; see {@code isPlain}. */
  private static boolean cannotFail(Expression expression) {
    if (expression instanceof CompiledModel || expression instanceof PythonUDF) {
      return CollectionConverters.asJava(expression.children()).stream().allMatch(PredictCalls::isPlain);
    }
    return CollectionConverters.asJava(expression.children()).stream().allMatch(PredictCalls::cannotFail);
  }

  /** Whether an argument is a column, a literal, or a conversion of one that cannot fail. */
  public static boolean isPlain(Expression input) {
    if (input instanceof Cast cast) {
      boolean number = cast.child().dataType() instanceof NumericType && cast.dataType() instanceof DoubleType;
      return (number || !cast.ansiEnabled()) && isPlain(cast.child());
    }
    boolean other =
        input instanceof UnixDate
            || input instanceof PreciseTimestampConversion
            || input instanceof CanonicalText
            || input instanceof StringTrimRight;
    return input instanceof Attribute || input instanceof Literal || other && isPlain(input.children().head());
  }

  private static void add(Expression expression, List<PredictCall> found) {
    if (expression instanceof PredictCall call) {
      if (found.stream().noneMatch(call::semanticEquals)) {
        found.add(call);
      }
      return;
    }
    CollectionConverters.asJava(expression.children()).forEach(child -> add(child, found));
  }

  /** Whether two calls can share one evaluation in one operator: they are equal, or read outputs of one model. */
  public static boolean canShare(Expression one, Expression other) {
    if (!one.deterministic() || !other.deterministic()) {
      return false;
    }
    if (one.semanticEquals(other)) {
      return true;
    }
    Expression model = model(one);
    return model != null && model.equals(model(other));
  }

  /** The model over its columns that an expression evaluates, whatever outputs it takes; null where there is none. */
  private static Expression model(Expression expression) {
    if (expression instanceof CompiledModel model) {
      return model.rows();
    }
    if (expression instanceof PythonUDF) {
      return expression.canonicalized();
    }
    for (Expression child : CollectionConverters.asJava(expression.children())) {
      Expression found = model(child);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  /** A column for a call. */
  public static Alias alias(Expression call) {
    return Plans.alias(call, "prediction", NamedExpression$.MODULE$.newExprId());
  }
}
