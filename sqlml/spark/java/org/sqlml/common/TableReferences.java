package org.sqlml.common;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.PlanExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.UnresolvedWith;
import scala.Product;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The tables and views that a parsed query names, and where in its text. A name with a time travel clause is not
 * included: Spark parses it to the leaf RelationTimeTravel. Nor is the name of a common table expression where that is in scope.
 */
public final class TableReferences {
  private final List<Map<String, Object>> found = new ArrayList<>();

  private TableReferences() {}

  /** JSON: [{"parts": the name's identifiers, "start" and "end": its offsets in code points}, …]. */
  public static String of(LogicalPlan query) {
    TableReferences references = new TableReferences();
    references.visit(query, Set.of());
    return Json.write(references.found);
  }

  private void visit(LogicalPlan plan, Set<String> inScope) {
    Set<String> scope = inScope;
    if (plan instanceof UnresolvedWith with) {
      scope = new HashSet<>(inScope);
      for (Object definition : CollectionConverters.asJava(with.cteRelations())) {
        // A pair, or since Spark 4.1 a triple: the name and the query come first.
        Product pair = (Product) definition;
        // A definition sees those before it, and a recursive one itself.
        String name = key((String) pair.productElement(0));
        if (with.allowRecursion()) {
          scope.add(name);
        }
        visit((LogicalPlan) pair.productElement(1), Set.copyOf(scope));
        scope.add(name);
      }
    }
    if (plan instanceof UnresolvedRelation relation) {
      add(relation, scope);
    }
    for (Expression expression : CollectionConverters.asJava(plan.expressions())) {
      visit(expression, scope);
    }
    for (LogicalPlan child : CollectionConverters.asJava(plan.children())) {
      visit(child, scope);
    }
  }

  private void visit(Expression expression, Set<String> scope) {
    if (expression instanceof PlanExpression<?> subquery && subquery.plan() instanceof LogicalPlan plan) {
      visit(plan, scope);
    }
    for (Expression child : CollectionConverters.asJava(expression.children())) {
      visit(child, scope);
    }
  }

  private void add(UnresolvedRelation relation, Set<String> scope) {
    List<String> parts = CollectionConverters.asJava(relation.multipartIdentifier());
    boolean isCte = parts.size() == 1 && scope.contains(key(parts.get(0)));
    if (!isCte && relation.origin().stopIndex().isDefined()) {
      Map<String, Object> reference = new LinkedHashMap<>();
      reference.put("parts", parts);
      reference.put("start", relation.origin().startIndex().get());
      reference.put("end", (Integer) relation.origin().stopIndex().get() + 1);
      found.add(reference);
    }
  }

  private static String key(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
