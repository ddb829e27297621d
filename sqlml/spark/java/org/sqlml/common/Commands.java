package org.sqlml.common;

import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.CompoundPlanStatement;
import org.apache.spark.sql.catalyst.plans.logical.InsertIntoDir;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.ParsedStatement;
import scala.runtime.AbstractFunction1;

/** Tells parsed commands from queries: where a statement of ours takes a query, nothing may be changed by reading it. */
public final class Commands {
  /** Plans that change something when they are run, wherever they stand in a tree. */
  private static final AbstractFunction1<LogicalPlan, Object> IS_COMMAND =
      new AbstractFunction1<>() {
        @Override
        public Object apply(LogicalPlan plan) {
          return plan instanceof Command || plan instanceof ParsedStatement || plan instanceof InsertIntoDir
              || plan instanceof CompoundPlanStatement;
        }
      };

  private Commands() {}

  /**
   * Throws an error where the plan is no query.
   *
   * @param text the text it was parsed from: the query, with blanks before it at most
   */
  public static void refuse(LogicalPlan plan, String text) throws SqlmlParseException {
    if (plan.exists(IS_COMMAND)) {
      String message = "[SQLML_SYNTAX_ERROR] Expected a query, found a command.";
      int[] place = Positions.place(text, text.length() - text.stripLeading().length());
      throw new SqlmlParseException(new Failure("SQLML_SYNTAX_ERROR", "42601", message, place, text));
    }
  }
}
