package org.sqlml.common;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.QueryPlan;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.trees.TreeNode;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/** Steps that rules over plans have in common, as PredicateHelper and AliasHelper are for Spark's own rules. */
public final class Plans {
  private Plans() {}

  /** Replaces an expression by a column that was computed below. */
  public static TreeTransform<Expression> replace(Expression from, Expression to) {
    return TreeTransform.by(node -> node.getClass() == from.getClass() && node.semanticEquals(from) ? to : null);
  }

  /** Substitutes a projection's aliases: an expression over its output as one over its input. */
  public static Expression substituteAliases(Expression expression, List<NamedExpression> projection) {
    return expression.transformUp(
        TreeTransform.by(node -> node instanceof AttributeReference column ? aliased(column, projection) : null));
  }

  /** The expression of a projection's column: the child of an alias, or the column itself. */
  public static Expression withoutAlias(NamedExpression column) {
    return column instanceof Alias alias ? alias.child() : (Expression) column;
  }

  /** The expression under an alias of a projection; null where it passes the attribute on. */
  private static Expression aliased(Attribute attribute, List<NamedExpression> projection) {
    for (NamedExpression named : projection) {
      if (named instanceof Alias alias && alias.exprId().equals(attribute.exprId())) {
        return alias.child();
      }
    }
    return null;
  }

  /** Visits the nodes of a plan, of its subqueries and of the plans inside of commands. */
  public static void visit(QueryPlan<?> plan, Consumer<QueryPlan<?>> visitor) {
    visitor.accept(plan);
    CollectionConverters.asJava(plan.children()).forEach(child -> visit((QueryPlan<?>) child, visitor));
    for (TreeNode<?> inner : CollectionConverters.asJava(plan.innerChildren())) {
      if (inner instanceof QueryPlan<?> query) {
        visit(query, visitor);
      }
    }
  }

  public static List<Expression> conjuncts(Expression condition) {
    List<Expression> found = new ArrayList<>();
    if (condition instanceof And both) {
      found.addAll(conjuncts(both.left()));
      found.addAll(conjuncts(both.right()));
    } else {
      found.add(condition);
    }
    return found;
  }

  public static Expression conjunction(List<Expression> conjuncts) {
    return conjuncts.stream().reduce(And::new).orElseThrow();
  }

  public static Alias alias(Expression call, String name, ExprId id) {
    return new Alias(call, name, id, Seqs.empty(), Option.empty(), Seqs.empty());
  }

  public static List<NamedExpression> append(List<? extends NamedExpression> columns, NamedExpression column) {
    List<NamedExpression> more = new ArrayList<>(columns);
    more.add(column);
    return more;
  }

  public static LogicalPlan withChild(LogicalPlan node, LogicalPlan child) {
    return node.withNewChildren(Seqs.of(List.of(child)));
  }

  public static Project project(List<? extends NamedExpression> columns, LogicalPlan child) {
    return new Project(Seqs.of(List.<NamedExpression>copyOf(columns)), child);
  }
}
