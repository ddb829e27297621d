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
 * Optimizer rule: partial evaluation of compiled models, then column pruning. What filters, literal arguments and the
 * files of tables tell of a model's inputs is propagated into it: constants are folded, branches that no row can reach
 * are gone, and columns that nothing reads any more are not read.
 *
 * <pre>
 * Project [predict[m/1 compiled](x, plan)]              Project [predict[m/1 compiled, 1 of 2 features, 40 of 310 splits](x)]
 * +- Filter (plan = 'basic' AND x > 60)           →     +- Filter (plan = 'basic' AND x > 60)
 *    +- Relation [x, plan]                                 +- Relation [x, plan]
 * </pre>
 *
 * <p>injectPreCBORule: filters have to be where they will stay, and Spark asks data sources for columns and partitions
 * right afterwards (Early Filter and Projection Push-Down). Run once, and not to a fixed point: it may read footers of
 * files.
 */
public final class PruneModels extends Rule<LogicalPlan> {
  private static final Pattern SHOWN = Pattern.compile("(.* compiled)(?:, \\d+ of (\\d+) features)?\\]");

  @Override
  public LogicalPlan apply(LogicalPlan plan) {
    if (!PredictCalls.contains(plan)) {
      return plan;
    }
    // Spark prunes the partitions of a catalog's table a moment later; the domains need them now.
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
    Set<ExprId> columns = new HashSet<>();
    calls.forEach(call -> call.inputs().forEach(input -> ColumnDomains.add(input, columns)));
    // Bounds of numbers answer what trees ask, and hardly anything else.
    files.begin(calls.stream().anyMatch(call -> PrunedProgram.asks(call.program())));
    // A filter's own condition holds in its calls too: their values for other rows do not matter.
    ColumnDomains domains = ColumnDomains.of(node instanceof Filter ? node : node.children().head(), columns, files);
    LogicalPlan found = node.transformExpressions(pruning(domains));
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

  private static TreeTransform<Expression> pruning(ColumnDomains domains) {
    return TreeTransform.by(
        node ->
            node instanceof CompiledModel call
                    && (!domains.isEmpty() || call.inputs().stream().anyMatch(Literal.class::isInstance))
                ? pruned(call, domains)
                : null);
  }

  private static CompiledModel pruned(CompiledModel call, ColumnDomains domains) {
    List<ValueDomain> known = call.inputs().stream().map(input -> domain(input, domains).withoutNans()).toList();
    PrunedProgram made = PrunedProgram.of(call.program(), known);
    boolean smaller = made.inputs().size() < known.size() || made.splits() < made.before();
    if (!smaller) {
      return call;
    }
    List<Expression> inputs = new ArrayList<>();
    made.inputs().forEach(index -> inputs.add(call.inputs().get(index)));
    return new CompiledModel(made.program(), shown(call, made), call.wanted(), inputs);
  }

  private static ValueDomain domain(Expression input, ColumnDomains domains) {
    // The sign of a literal zero is known too.
    return input instanceof Literal literal && literal.value() != null
        ? domains.domain(input).withValues(Set.of(literal.value()))
        : domains.domain(input);
  }

  private static String shown(CompiledModel call, PrunedProgram made) {
    Matcher name = SHOWN.matcher(call.shown());
    if (!name.matches()) {
      return call.shown();
    }
    String all = name.group(2) == null ? String.valueOf(call.inputs().size()) : name.group(2);
    String features = ", " + made.inputs().size() + " of " + all + " features";
    String splits = made.splits() < made.before() ? ", " + made.splits() + " of " + made.before() + " splits" : "";
    return name.group(1) + features + splits + "]";
  }
}
