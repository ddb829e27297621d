package org.sqlml.optimizer;

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
import org.sqlml.common.TreeTransform;
import org.sqlml.expressions.CompiledModel;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A compiled model for the rows that a query asks it about: what filters, literal arguments and the files of tables say of
 * its inputs is computed once, and branches that no row can come to are gone. What it then does not look at is not read.
 */
public final class PruneModels extends Rule<LogicalPlan> {
  private static final Pattern SHOWN = Pattern.compile("(.* compiled)(?:, \\d+ of (\\d+) features)?\\]");

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!PredictCalls.contains(plan)) {
      return plan;
    }
    // What Spark does a moment later: of a catalog's table, which partitions pass.
    LogicalPlan listed = PruneFileSourcePartitions$.MODULE$.apply(plan);
    FileDomains files = new FileDomains();
    LogicalPlan found =
        listed.transformUp(
            TreeTransform.by(
                node -> node instanceof UnaryNode && !PredictCalls.of(node).isEmpty() ? pruned(node, files) : null));
    return found == listed ? listed : files.kept(ColumnPruning$.MODULE$.apply(found));
  }

  private static LogicalPlan pruned(LogicalPlan node, FileDomains files) {
    List<CompiledModel> calls = new ArrayList<>();
    CollectionConverters.asJava(node.expressions()).forEach(expression -> collect(expression, calls));
    Set<ExprId> asked = new HashSet<>();
    calls.forEach(call -> call.inputs().forEach(input -> ColumnDomains.add(input, asked)));
    // Bounds of numbers answer what trees ask, and hardly anything else.
    files.begin(calls.stream().anyMatch(call -> PrunedProgram.asks(call.program())));
    // What a row that does not pass a filter would give is of no account, in the filter itself.
    ColumnDomains facts = ColumnDomains.of(node instanceof Filter ? node : node.children().head(), asked, files);
    LogicalPlan found = node.transformExpressions(pruning(facts));
    files.end(found != node);
    return found;
  }

  private static void collect(Expression expression, List<CompiledModel> calls) {
    if (expression instanceof CompiledModel call) {
      calls.add(call);
    } else {
      CollectionConverters.asJava(expression.children()).forEach(child -> collect(child, calls));
    }
  }

  private static TreeTransform<Expression> pruning(ColumnDomains facts) {
    return TreeTransform.by(
        node ->
            node instanceof CompiledModel call
                    && (!facts.isEmpty() || call.inputs().stream().anyMatch(Literal.class::isInstance))
                ? pruned(call, facts)
                : null);
  }

  private static CompiledModel pruned(CompiledModel call, ColumnDomains facts) {
    List<ValueDomain> known = call.inputs().stream().map(input -> possible(input, facts).withoutNans()).toList();
    PrunedProgram made = PrunedProgram.of(call.program(), known);
    boolean smaller = made.inputs().size() < known.size() || made.questions() < made.before();
    if (!smaller) {
      return call;
    }
    List<Expression> inputs = new ArrayList<>();
    made.inputs().forEach(place -> inputs.add(call.inputs().get(place)));
    return new CompiledModel(made.program(), shown(call, made), call.wanted(), inputs);
  }

  private static ValueDomain possible(Expression input, ColumnDomains facts) {
    // Of a literal zero the sign is known too.
    return input instanceof Literal literal && literal.value() != null
        ? facts.possible(input).with(Set.of(literal.value()))
        : facts.possible(input);
  }

  private static String shown(CompiledModel call, PrunedProgram made) {
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
