package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.EqualNullSafe;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GreaterThan;
import org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.In;
import org.apache.spark.sql.catalyst.expressions.InSet;
import org.apache.spark.sql.catalyst.expressions.IsNotNull;
import org.apache.spark.sql.catalyst.expressions.IsNull;
import org.apache.spark.sql.catalyst.expressions.LessThan;
import org.apache.spark.sql.catalyst.expressions.LessThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.expressions.PreciseTimestampConversion;
import org.apache.spark.sql.catalyst.expressions.UnixDate;
import org.apache.spark.sql.catalyst.plans.Inner$;
import org.apache.spark.sql.catalyst.plans.LeftAnti$;
import org.apache.spark.sql.catalyst.plans.LeftOuter$;
import org.apache.spark.sql.catalyst.plans.LeftSemi$;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.Join;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;
import org.sqlml.common.Plans;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/** Value domains of expressions over a plan's output, as filters, joins and the files of tables imply them. */
final class ColumnDomains {
  private final Map<Expression, ValueDomain> known = new HashMap<>();

  /**
   * The domains in a plan's output.
   *
   * @param columns the columns whose domains are needed from files
   */
  static ColumnDomains of(LogicalPlan plan, Set<ExprId> columns, FileDomains files) {
    ColumnDomains domains = new ColumnDomains();
    if (plan instanceof LogicalRelation relation) {
      domains.known.putAll(files.of(relation, List.of(), columns));
    } else if (plan instanceof Filter filter) {
      domains.known.putAll(
          filter.child() instanceof LogicalRelation relation
              ? files.of(relation, Plans.conjuncts(filter.condition()), columns)
              : of(filter.child(), columns, files).known);
      domains.addAll(filter.condition());
    } else if (plan instanceof Project project) {
      List<NamedExpression> list = CollectionConverters.asJava(project.projectList());
      ColumnDomains below = of(project.child(), columnsBelow(list, columns), files);
      for (NamedExpression one : list) {
        Expression value = Plans.withoutAlias(one);
        ValueDomain domain = PredictCalls.contains(value) ? ValueDomain.ANYTHING : below.domain(value);
        if (!domain.equals(ValueDomain.ANYTHING)) {
          domains.known.put(one.toAttribute().canonicalized(), domain);
        }
      }
    } else if (plan instanceof Join join) {
      boolean inner = join.joinType() == Inner$.MODULE$;
      if (inner
          || join.joinType() == LeftOuter$.MODULE$
          || join.joinType() == LeftSemi$.MODULE$
          || join.joinType() == LeftAnti$.MODULE$) {
        domains.known.putAll(of(join.left(), columns, files).known);
      }
      if (inner) {
        domains.known.putAll(of(join.right(), columns, files).known);
        join.condition().foreach(
            new AbstractFunction1<>() {
              @Override
              public Object apply(Expression condition) {
                domains.addAll(condition);
                return null;
              }
            });
      }
    } else if (plan instanceof Sort || plan instanceof LocalLimit || plan instanceof GlobalLimit) {
      return of(plan.children().head(), columns, files);
    }
    return domains;
  }

  private static Set<ExprId> columnsBelow(List<NamedExpression> list, Set<ExprId> columns) {
    Set<ExprId> found = new HashSet<>();
    for (NamedExpression one : list) {
      if (columns.contains(one.exprId())) {
        add(Plans.withoutAlias(one), found);
      }
    }
    return found;
  }

  /** The column that an expression is, as it is or as another type, where what is known of it is known of this too. */
  static void add(Expression expression, Set<ExprId> columns) {
    if (expression instanceof Attribute attribute) {
      columns.add(attribute.exprId());
    } else if (expression instanceof Cast
        || expression instanceof UnixDate
        || expression instanceof PreciseTimestampConversion) {
      add(expression.children().head(), columns);
    }
  }

  /** A condition that is true of the rows. */
  void addAll(Expression condition) {
    for (Expression one : Plans.conjuncts(condition)) {
      if (one.deterministic() && !PredictCalls.contains(one)) {
        add(one);
      }
    }
  }

  private void add(Expression condition) {
    if (condition instanceof IsNotNull there) {
      put(there.child(), new ValueDomain(
          false, true, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, null));
    } else if (condition instanceof IsNull missing) {
      put(missing.child(), ValueDomain.NULL);
    } else if (condition instanceof EqualTo same) {
      equal(same.left(), same.right());
    } else if (condition instanceof EqualNullSafe same) {
      equal(same.left(), same.right());
    } else if (condition instanceof LessThan less) {
      ordered(less.left(), less.right(), true);
    } else if (condition instanceof LessThanOrEqual less) {
      ordered(less.left(), less.right(), false);
    } else if (condition instanceof GreaterThan greater) {
      ordered(greater.right(), greater.left(), true);
    } else if (condition instanceof GreaterThanOrEqual greater) {
      ordered(greater.right(), greater.left(), false);
    } else if (condition instanceof In in) {
      List<Expression> members = CollectionConverters.asJava(in.list());
      if (members.stream().allMatch(Literal.class::isInstance)) {
        among(in.value(), members.stream().map(one -> one.eval(null)).toList());
      }
    } else if (condition instanceof InSet in) {
      among(in.child(), new ArrayList<>(CollectionConverters.asJava(in.hset())));
    } else if (condition.dataType() instanceof BooleanType) {
      boolean denied = condition instanceof Not;
      put(denied ? ((Not) condition).child() : condition, ValueDomain.of(!denied, condition.dataType()));
    }
  }

  private void equal(Expression left, Expression right) {
    if (right instanceof Literal literal) {
      among(left, Collections.singletonList(literal.value()));
    } else if (left instanceof Literal literal) {
      among(right, Collections.singletonList(literal.value()));
    }
  }

  private void among(Expression expression, List<Object> values) {
    ValueDomain found = null;
    for (Object value : values) {
      if (value != null) {
        ValueDomain one = ValueDomain.of(value, expression.dataType());
        found = found == null ? one : found.union(one);
      }
    }
    if (found != null && plain(expression.dataType())) {
      put(expression, found);
    }
  }

  /** lower &lt; higher, or ≤. NaN is above all numbers. */
  private void ordered(Expression lower, Expression higher, boolean strictly) {
    boolean above = lower instanceof Literal;
    Expression expression = above ? higher : lower;
    Expression bound = above ? lower : higher;
    if (!(bound instanceof Literal) || !plain(expression.dataType()) || expression.dataType() instanceof StringType) {
      return;
    }
    Object value = bound.eval(null);
    ValueDomain limit = value == null ? null : ValueDomain.of(value, bound.dataType());
    if (limit == null || limit.nans()) {
      return;
    }
    boolean real = expression.dataType() instanceof DoubleType || expression.dataType() instanceof FloatType;
    boolean whole = !real && !(expression.dataType() instanceof DecimalType) && limit.low() == limit.high();
    double step = strictly && whole ? 1 : 0;
    double low = strictly && real ? Math.nextUp(limit.low()) : limit.low() + step;
    double high = strictly && real ? Math.nextDown(limit.high()) : limit.high() - step;
    put(
        expression,
        above
            ? new ValueDomain(false, real, low, Double.POSITIVE_INFINITY, null)
            : ValueDomain.between(Double.NEGATIVE_INFINITY, high));
  }

  /** Types whose equal values are identical, but for the signs of zero. */
  static boolean plain(DataType type) {
    return type instanceof BooleanType
        || type instanceof ByteType
        || type instanceof ShortType
        || type instanceof IntegerType
        || type instanceof LongType
        || type instanceof FloatType
        || type instanceof DoubleType
        || type instanceof DecimalType
        || type instanceof DateType
        || type instanceof TimestampType
        || type instanceof TimestampNTZType
        || type.equals(org.apache.spark.sql.types.DataTypes.StringType);
  }

  private void put(Expression expression, ValueDomain domain) {
    known.merge(expression.canonicalized(), domain, ValueDomain::intersect);
  }

  ValueDomain domain(Expression expression) {
    if (expression instanceof Literal literal) {
      return ValueDomain.of(literal.value(), literal.dataType());
    }
    ValueDomain found = known.getOrDefault(expression.canonicalized(), ValueDomain.ANYTHING);
    if (expression instanceof UnixDate days) {
      found = found.intersect(domain(days.child()));
    } else if (expression instanceof PreciseTimestampConversion moment) {
      found = found.intersect(domain(moment.child()));
    } else if (expression instanceof Cast cast) {
      found = found.intersect(cast(domain(cast.child()), cast.child().dataType(), cast.dataType()));
    } else if (expression instanceof Attribute attribute && !attribute.nullable()) {
      found = found.intersect(new ValueDomain(
          false, true, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, null));
    }
    return found;
  }

  /** The domain after a widening cast, which is monotone but not injective: two numbers may become one. */
  private static ValueDomain cast(ValueDomain domain, DataType from, DataType to) {
    boolean whole = from instanceof ByteType || from instanceof ShortType || from instanceof IntegerType;
    boolean real = from instanceof FloatType || from instanceof DoubleType;
    boolean known = whole || real || from instanceof LongType || from instanceof DecimalType || from instanceof BooleanType;
    if (!(to instanceof DoubleType && known || to instanceof LongType && whole)) {
      return ValueDomain.ANYTHING;
    }
    double low = whole ? Math.max(domain.low(), Integer.MIN_VALUE) : domain.low();
    double high = whole ? Math.min(domain.high(), Integer.MAX_VALUE) : domain.high();
    Set<Object> values = null;
    if (domain.isConstant() && domain.nulls()) {
      values = Set.of();
    } else if (domain.isConstant() && low == high) {
      values = Set.of(to instanceof LongType ? (Object) (long) low : (Object) low);
    }
    return new ValueDomain(domain.nulls(), domain.nans() && real, low, high, values);
  }

  /** Whether nothing is known. */
  boolean isEmpty() {
    return known.isEmpty();
  }
}
