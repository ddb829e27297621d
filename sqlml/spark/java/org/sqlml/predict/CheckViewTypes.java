package org.sqlml.predict;

import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.QueryPlan;
import org.apache.spark.sql.catalyst.plans.logical.Aggregate;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.View;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.sqlml.common.CurrentUser;
import org.sqlml.common.Plans;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.SqlmlAnalysisException;
import org.sqlml.python.Bridge;
import org.sqlml.python.Replies;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Analyzer check: a view keeps the types that its columns had when it was made. Where its model predicts another type by
 * now, Spark would cast: a price becomes true, or the first row fails without a word of the model. Only a number may
 * become a wider one.
 *
 * <pre>
 * View v [p DOUBLE]                                 the same plan, or an error that names the view and the model
 * +- Project [cast(p AS DOUBLE)]                →
 *    +- Project [predict(m, x) AS p]  a STRING
 *       +- Relation [x]
 * </pre>
 *
 * <p>injectPostHocResolutionRule: the casts of views are resolved by then, and are still below a View node, which the
 * first batch of the optimizer removes.
 */
public final class CheckViewTypes extends Rule<LogicalPlan> {
  private final SparkSession session;

  public CheckViewTypes(SparkSession session) {
    this.session = session;
  }

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (PredictCalls.mayContain(plan)) {
      Plans.visit(plan, this::check);
    }
    return plan;
  }

  private void check(QueryPlan<?> node) {
    if (node instanceof View view && view.child() instanceof Project columns) {
      for (NamedExpression column : CollectionConverters.asJava(columns.projectList())) {
        check(view, columns.child(), Plans.withoutAlias(column));
      }
    }
  }

  private void check(View view, LogicalPlan query, Expression column) {
    if (column instanceof Cast cast
        && cast.child() instanceof AttributeReference attribute
        && !keeps(attribute.dataType(), cast.dataType())
        && made(query, attribute.exprId()) instanceof PredictCall call
        && call.right().model() != null) {
      ScoringRight right = call.right();
      String user = CurrentUser.of(session);
      String name = view.desc().identifier().table();
      String type = cast.dataType().catalogString();
      String now = attribute.dataType().catalogString();
      Object reply =
          Bridge.ask(
              session, handler -> handler.retyped(session, user, right.model(), right.digest(), name, type, now));
      try {
        Replies.object(reply, Boolean.class, null);
      } catch (Exception e) {
        // The place of the view's name in the query that reads it.
        throw SneakyThrow.of(e instanceof SqlmlAnalysisException error ? error.withPosition(view.origin()) : e);
      }
    }
  }

  /** Whether a cast changes no value: none at all, of a text to another collation, of a number to a wider one. */
  private static boolean keeps(DataType from, DataType to) {
    return from.catalogString().equals(to.catalogString())
        || from instanceof StringType && to instanceof StringType
        || from instanceof NumericType && to instanceof NumericType && Cast$.MODULE$.canUpCast(from, to);
  }

  /** The expression of a query's column, through projections and groups; null where there is none. */
  private static Expression made(LogicalPlan query, ExprId id) {
    List<NamedExpression> columns =
        query instanceof Project project
            ? CollectionConverters.asJava(project.projectList())
            : query instanceof Aggregate group ? CollectionConverters.asJava(group.aggregateExpressions()) : List.of();
    for (NamedExpression column : columns) {
      if (column instanceof Alias alias && alias.exprId().equals(id)) {
        return alias.child() instanceof AttributeReference below
            ? made(query.children().head(), below.exprId())
            : alias.child();
      }
    }
    return query.children().size() == 1 ? made(query.children().head(), id) : null;
  }
}
