package org.sqlml.predict;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Generator;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression;
import org.apache.spark.sql.catalyst.expressions.WindowExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.internal.SQLConf$;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.sqlml.common.Failure;
import org.sqlml.common.Json;
import org.sqlml.common.Plans;
import org.sqlml.common.SelectList;
import org.sqlml.common.Seqs;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.SqlmlAnalysisException;
import org.sqlml.common.TreeTransform;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The TRANSFORM clause: a select list over the columns of the training query, each row by itself. Spark resolves it
 * over a relation of these columns, and what it found stands in for the features wherever the model scores.
 */
public final class TransformClause {
  private TransformClause() {}

  /**
   * The outputs of a select list over a query's columns, as JSON: {"outputs": [{"name", "inputs": [column, …]}, …]}, or
   * {"error": {"message", "offset"}} for a list that cannot be applied to one row at a time.
   */
  public static String describe(SparkSession session, SelectList list, Dataset<Row> frame) {
    List<Attribute> columns = new ArrayList<>();
    for (StructField field : frame.schema().fields()) {
      columns.add(attribute(field.name(), field.dataType(), field.metadata()));
    }
    LogicalPlan plan = resolve(session, list, columns);
    String refused = refused(plan, list.text());
    if (refused != null) {
      return refused;
    }
    List<Map<String, Object>> outputs = new ArrayList<>();
    for (NamedExpression output : collapsed(check(session, plan), Map.of())) {
      Set<String> inputs = new LinkedHashSet<>();
      for (Attribute read : CollectionConverters.asJava(((Expression) output).references().toSeq())) {
        inputs.add(read.name());
      }
      outputs.add(Map.of("name", output.name(), "inputs", inputs));
    }
    return Json.write(Map.of("outputs", outputs));
  }

  /**
   * The transform of a model's version, as Python sends it.
   *
   * @param text `SELECT list`
   * @param settings of Spark, as they were in training; they decide what an expression means
   * @param columns names and types (DDL) of the training query's columns
   * @param inputs indexes of the columns that are read, in the order of the call's arguments
   * @param outputs the model's features, which are names of the list's outputs
   */
  public record Stored(
      String text,
      Map<String, String> settings,
      List<List<String>> columns,
      List<Integer> inputs,
      List<String> outputs) {}

  /**
   * For each of the outputs, the expression it is of the arguments; they are resolved and of types that fit. A version has
   * its list as text, which is parsed for each call: under the training's settings, which the parser reads too.
   */
  static List<Expression> expressions(SparkSession session, Stored stored, List<Expression> arguments, String model) {
    SQLConf conf = SQLConf.get().clone();
    stored.settings().forEach(conf::setConfString);
    try {
      return SQLConf$.MODULE$.withExistingConf(conf, () -> resolved(session, stored, arguments));
    } catch (Exception e) {
      String reason = e.getMessage().split("\n")[0];
      String message = "[SQLML_TRANSFORM_INVALID] The TRANSFORM of model " + model + " cannot be applied here: " + reason;
      throw SneakyThrow.of(
          new SqlmlAnalysisException(new Failure("SQLML_TRANSFORM_INVALID", "42K09", message, null, null)));
    }
  }

  private static List<Expression> resolved(SparkSession session, Stored stored, List<Expression> arguments) {
    List<Attribute> columns = new ArrayList<>();
    for (List<String> column : stored.columns()) {
      columns.add(attribute(column.get(0), CharType.stored(column.get(1)), CharType.metadata(column.get(1))));
    }
    Map<ExprId, Expression> values = new HashMap<>();
    for (int i = 0; i < arguments.size(); i++) {
      int index = stored.inputs().get(i);
      // With the type it has here: a number may be wider than it was in training.
      Attribute column = columns.get(index);
      columns.set(index, attribute(column.name(), arguments.get(i).dataType(), column.metadata()));
      values.put(columns.get(index).exprId(), arguments.get(i));
    }
    LogicalPlan plan = check(session, resolve(session, SelectList.parse(session, stored.text()), columns));
    Map<String, Expression> outputs = new HashMap<>();
    for (NamedExpression output : collapsed(plan, values)) {
      outputs.put(output.name(), Plans.withoutAlias(output));
    }
    return stored.outputs().stream().map(outputs::get).toList();
  }

  private static LogicalPlan resolve(SparkSession session, SelectList list, List<Attribute> columns) {
    LogicalPlan relation = LocalRelation.fromExternalRows(CollectionConverters.asScala(columns).toSeq(), Seqs.empty());
    return state(session).analyzer().execute(list.over(relation));
  }

  private static LogicalPlan check(SparkSession session, LogicalPlan plan) {
    state(session).analyzer().checkAnalysis(plan);
    return plan;
  }

  private static org.apache.spark.sql.internal.SessionState state(SparkSession session) {
    return ((org.apache.spark.sql.classic.SparkSession) session).sessionState();
  }

  private static AttributeReference attribute(String name, DataType type, Metadata metadata) {
    return new AttributeReference(name, type, true, metadata, NamedExpression$.MODULE$.newExprId(), Seqs.empty());
  }

  // -- what one row cannot tell ----------------------------------------------------------------------------------------

  /** The first thing that needs more than the row it stands in, or would be another at every look, as an error. */
  private static String refused(LogicalPlan plan, String text) {
    for (Expression expression : CollectionConverters.asJava(plan.expressions())) {
      String refused = refused(expression, text);
      if (refused != null) {
        return refused;
      }
    }
    for (LogicalPlan child : CollectionConverters.asJava(plan.children())) {
      String refused = refused(child, text);
      if (refused != null) {
        return refused;
      }
    }
    return null;
  }

  private static String refused(Expression expression, String text) {
    String kind = kind(expression);
    if (kind != null) {
      String shown = written(expression, text);
      return error("TRANSFORM is applied to one row at a time, but " + shown + " is " + kind + ".", expression.origin());
    }
    for (Expression child : CollectionConverters.asJava(expression.children())) {
      String refused = refused(child, text);
      if (refused != null) {
        return refused;
      }
    }
    return null;
  }

  private static String kind(Expression expression) {
    if (expression instanceof WindowExpression) {
      return "a window function";
    }
    if (expression instanceof AggregateExpression) {
      return "an aggregate function";
    }
    if (expression instanceof Generator) {
      return "a generator of rows";
    }
    if (expression instanceof SubqueryExpression) {
      return "a subquery";
    }
    if (expression instanceof PredictCall) {
      return "a prediction, whose model can change. Move it to the query";
    }
    boolean itself = CollectionConverters.asJava(expression.children()).stream().allMatch(Expression::deterministic);
    return !expression.deterministic() && itself ? "nondeterministic" : null;
  }

  /** An expression as the user wrote it, on one line. */
  private static String written(Expression expression, String text) {
    Origin origin = expression.origin();
    if (origin.startIndex().isEmpty() || origin.stopIndex().isEmpty()) {
      return expression.sql();
    }
    int[] points = text.codePoints().toArray();
    int start = (Integer) origin.startIndex().get();
    int stop = Math.min(points.length, (Integer) origin.stopIndex().get() + 1);
    return new String(points, start, stop - start).replaceAll("\\s+", " ");
  }

  private static String error(String message, Origin origin) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("message", message);
    error.put("offset", origin.startIndex().isEmpty() ? null : origin.startIndex().get());
    return Json.write(Map.of("error", error));
  }

  // -- one projection out of several -----------------------------------------------------------------------------------

  /** A list that refers to its own columns is resolved to projections over projections; this is one over the columns. */
  private static List<NamedExpression> collapsed(LogicalPlan plan, Map<ExprId, Expression> columns) {
    if (!(plan instanceof Project project)) {
      return List.of();
    }
    Map<ExprId, Expression> values = new HashMap<>(columns);
    for (NamedExpression inner : collapsed(project.child(), columns)) {
      values.put(inner.exprId(), Plans.withoutAlias(inner));
    }
    List<NamedExpression> outputs = new ArrayList<>();
    for (NamedExpression output : CollectionConverters.asJava(project.projectList())) {
      Expression value = Plans.withoutAlias(output);
      Expression replaced = replaced(value, values);
      outputs.add(
          new Alias(replaced, output.name(), output.exprId(), Seqs.empty(), scala.Option.empty(), Seqs.empty()));
    }
    return outputs;
  }

  private static Expression replaced(Expression expression, Map<ExprId, Expression> values) {
    return expression.transform(
        TreeTransform.by(node -> node instanceof AttributeReference column ? values.get(column.exprId()) : null));
  }
}
