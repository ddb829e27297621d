package org.sqlml;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.optimizer.ColumnPruning$;
import org.apache.spark.sql.catalyst.plans.logical.Filter;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.UnaryNode;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.datasources.PruneFileSourcePartitions$;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A compiled model for the rows that a query asks it about: what filters, literal arguments and the files of tables say of
 * its inputs is computed once, and branches that no row can come to are gone. What it then does not look at is not read.
 */
final class PruneModels extends Rule<LogicalPlan> {
  private static final Pattern SHOWN = Pattern.compile("(.* compiled)(?:, \\d+ of (\\d+) features)?\\]");

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!Calls.contains(plan)) {
      return plan;
    }
    // What Spark does a moment later: of a catalog's table, which partitions pass.
    LogicalPlan listed = PruneFileSourcePartitions$.MODULE$.apply(plan);
    FileFacts files = new FileFacts();
    LogicalPlan found =
        listed.transformUp(
            Changing.by(
                node -> node instanceof UnaryNode && !Calls.of(node).isEmpty() ? pruned(node, files) : null));
    return found == listed ? listed : files.kept(ColumnPruning$.MODULE$.apply(found));
  }

  private static LogicalPlan pruned(LogicalPlan node, FileFacts files) {
    List<Compiled> calls = new ArrayList<>();
    CollectionConverters.asJava(node.expressions()).forEach(expression -> collect(expression, calls));
    Set<ExprId> asked = new HashSet<>();
    calls.forEach(call -> call.inputs().forEach(input -> Facts.add(input, asked)));
    // Bounds of numbers answer what trees ask, and hardly anything else.
    files.begin(calls.stream().anyMatch(call -> PrunedProgram.asks(call.program())));
    // What a row that does not pass a filter would give is of no account, in the filter itself.
    Facts facts = Facts.of(node instanceof Filter ? node : node.children().head(), asked, files);
    LogicalPlan found = node.transformExpressions(pruning(facts));
    files.end(found != node);
    return found;
  }

  private static void collect(Expression expression, List<Compiled> calls) {
    if (expression instanceof Compiled call) {
      calls.add(call);
    } else {
      CollectionConverters.asJava(expression.children()).forEach(child -> collect(child, calls));
    }
  }

  private static Changing<Expression> pruning(Facts facts) {
    return Changing.by(
        node ->
            node instanceof Compiled call
                    && (!facts.isEmpty() || call.inputs().stream().anyMatch(Literal.class::isInstance))
                ? pruned(call, facts)
                : null);
  }

  private static Compiled pruned(Compiled call, Facts facts) {
    List<Possible> known = call.inputs().stream().map(input -> possible(input, facts).withoutNans()).toList();
    PrunedProgram made = PrunedProgram.of(call.program(), known);
    boolean smaller = made.inputs().size() < known.size() || made.questions() < made.before();
    if (!smaller) {
      return call;
    }
    List<Expression> inputs = new ArrayList<>();
    made.inputs().forEach(place -> inputs.add(call.inputs().get(place)));
    return new Compiled(made.program(), shown(call, made), call.wanted(), inputs);
  }

  private static Possible possible(Expression input, Facts facts) {
    // Of a literal zero the sign is known too.
    return input instanceof Literal literal && literal.value() != null
        ? facts.possible(input).with(Set.of(literal.value()))
        : facts.possible(input);
  }

  private static String shown(Compiled call, PrunedProgram made) {
    Matcher name = SHOWN.matcher(call.shown());
    if (!name.matches()) {
      return call.shown();
    }
    String all = name.group(2) == null ? String.valueOf(call.inputs().size()) : name.group(2);
    String features = ", " + made.inputs().size() + " of " + all + " features";
    String nodes = made.questions() < made.before() ? ", " + made.questions() + " of " + made.before() + " nodes" : "";
    return name.group(1) + features + nodes + "]";
  }
}
