package org.sqlml.parser;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.analysis.NamedParameter;
import org.apache.spark.sql.catalyst.analysis.Parameter;
import org.apache.spark.sql.catalyst.analysis.PosParameter;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.sqlml.common.Seqs;
import org.sqlml.common.TreeTransform;
import scala.Function1;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * An unresolved statement of sqlml on Spark 4.0, whose parser is not given the values of parameters: the markers are
 * expressions of this plan, Spark's BindParameters replaces them with literals, and {@link Resolve} then parses the text.
 */
public final class ParameterizedStatement extends LogicalPlan {
  private final Seq<Expression> values;
  private final List<String> names;
  private final Function<String, LogicalPlan> parse;

  /**
   * Public, because Spark copies a plan by its constructor.
   *
   * @param values a marker each, or the literal that has replaced it
   * @param names the name of each marker; null for `?`
   * @param parse makes the command of the statement; takes what {@link ParameterValues#json} returns
   */
  public ParameterizedStatement(Seq<Expression> values, List<String> names, Function<String, LogicalPlan> parse) {
    this.values = values;
    this.names = names;
    this.parse = parse;
  }

  /** Takes the reply of Handler.markers(). */
  static ParameterizedStatement of(JsonNode markers, Function<String, LogicalPlan> parse) {
    List<Expression> values = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (JsonNode marker : markers) {
      String name = marker.get(1).isNull() ? null : marker.get(1).asText();
      names.add(name);
      values.add(name == null ? new PosParameter(marker.get(0).asInt()) : new NamedParameter(name));
    }
    return new ParameterizedStatement(Seqs.of(values), names, parse);
  }

  /**
   * Analyzer rule: a statement whose markers all have values becomes its command.
   *
   * <pre>
   * ParameterizedStatement [7]    →    TrainModel churn
   * </pre>
   *
   * <p>injectResolutionRule: a plan that is unresolved after that batch is an error.
   */
  public static final class Resolve extends Rule<LogicalPlan> {
    @Override
    public LogicalPlan apply(LogicalPlan plan) {
      return plan.resolveOperators(
          TreeTransform.by(node -> node instanceof ParameterizedStatement statement ? statement.command() : null));
    }
  }

  private LogicalPlan command() {
    Map<String, String> named = new LinkedHashMap<>();
    List<String> positional = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      if (values.apply(i) instanceof Parameter) {
        return null;
      }
      // EXECUTE IMMEDIATE … USING 7 AS seed binds the alias.
      Expression bound = values.apply(i) instanceof Alias alias ? alias.child() : values.apply(i);
      String value = ParameterValues.sql(bound);
      if (names.get(i) == null) {
        positional.add(value);
      } else {
        named.put(names.get(i), value);
      }
    }
    return parse.apply(ParameterValues.json(named, positional));
  }

  @Override
  public Seq<Attribute> output() {
    return Seqs.empty();
  }

  // Scala's compiler would add these to a case class.

  @Override
  public Seq<LogicalPlan> children() {
    return Seqs.empty();
  }

  @Override
  public LogicalPlan mapChildren(Function1<LogicalPlan, LogicalPlan> change) {
    return this;
  }

  @Override
  public LogicalPlan withNewChildrenInternal(IndexedSeq<LogicalPlan> children) {
    return this;
  }

  @Override
  public int productArity() {
    return 3;
  }

  @Override
  public Object productElement(int index) {
    return switch (index) {
      case 0 -> values;
      case 1 -> names;
      default -> parse;
    };
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof ParameterizedStatement;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ParameterizedStatement statement
        && CollectionConverters.asJava(statement.values).equals(CollectionConverters.asJava(values))
        && statement.parse == parse;
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }
}
