package org.sqlml.parser;

import java.lang.reflect.Field;
import java.util.List;
import org.apache.spark.sql.catalyst.analysis.UnresolvedProcedure;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.Call;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.SingleStatement;
import scala.Product;
import scala.collection.Iterable;
import scala.collection.Iterator;

/**
 * Puts sqlml's statements into a parsed SQL script, instead of the placeholder calls that Spark's parser saw; see
 * sqlml/parser/scripts.py.
 */
final class ScriptStatements {
  private static final String PROCEDURE = "sqlml statement";

  /** Final in Spark. A script has many kinds of nodes, and each would have to be made anew to change one inside. */
  private static final Field PLAN = field();

  private final List<LogicalPlan> statements;

  private ScriptStatements(List<LogicalPlan> statements) {
    this.statements = statements;
  }

  /** Changes a script that nobody else has yet. */
  static void place(Object script, List<LogicalPlan> statements) throws IllegalAccessException {
    new ScriptStatements(statements).visit(script);
  }

  private void visit(Object member) throws IllegalAccessException {
    if (member instanceof SingleStatement statement) {
      if (statement.parsedPlan() instanceof Call call
          && call.procedure() instanceof UnresolvedProcedure procedure
          && procedure.nameParts().head().equals(PROCEDURE)) {
        Literal number = (Literal) call.args().head();
        PLAN.set(statement, statements.get((Integer) number.value()));
      }
    } else if (member instanceof Iterable<?> members) {
      visitAll(members.iterator());
    } else if (member instanceof Product product) {
      visitAll(product.productIterator());
    }
  }

  private void visitAll(Iterator<?> members) throws IllegalAccessException {
    while (members.hasNext()) {
      visit(members.next());
    }
  }

  private static Field field() {
    try {
      Field field = SingleStatement.class.getDeclaredField("parsedPlan");
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException e) {
      throw new ExceptionInInitializerError(e);
    }
  }
}
