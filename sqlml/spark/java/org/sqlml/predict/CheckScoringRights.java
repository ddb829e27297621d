package org.sqlml.predict;

import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.CurrentUser;
import org.sqlml.common.Plans;
import org.sqlml.python.Bridge;
import org.sqlml.python.Replies;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Analyzer check: asks again for the right to score where a part of the plan was resolved for another user. Spark keeps
 * the analysed plan of a view that was made of a data frame and resolves nothing in it again, so that {@link
 * PredictFunction} is never called for its readers. Where the users are the same, which is the rule, two texts are
 * compared.
 *
 * <pre>
 * View v, read by bob                                the same plan, or SQLML_PERMISSION_DENIED
 * +- Project [predict(m, x), resolved for ann]  →
 *    +- Relation [x]
 * </pre>
 *
 * <p>injectPostHocResolutionRule: every query passes it, also one that is analysed already, and before Spark's own
 * checks. injectCheckRule comes after these, whose errors show parts of the plan.
 */
public final class CheckScoringRights extends Rule<LogicalPlan> {
  private final SparkSession session;

  public CheckScoringRights(SparkSession session) {
    this.session = session;
  }

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!PredictCalls.mayContain(plan)) {
      return plan;
    }
    Set<ScoringRight> rights = new LinkedHashSet<>();
    Plans.visit(plan, node -> CollectionConverters.asJava(node.expressions()).forEach(one -> collect(one, rights)));
    if (!rights.isEmpty()) {
      String user = CurrentUser.of(session);
      rights.stream().filter(right -> !right.user().equals(user)).forEach(right -> ask(user, right));
    }
    return plan;
  }

  private void ask(String user, ScoringRight right) {
    Object reply = Bridge.ask(session, handler -> handler.permit(session, user, right.model(), right.digest()));
    Replies.object(reply, Boolean.class, null);
  }

  private static void collect(Expression expression, Set<ScoringRight> found) {
    if (expression instanceof PredictCall call) {
      found.add(call.right());
    }
    CollectionConverters.asJava(expression.children()).forEach(child -> collect(child, found));
  }
}
