package org.sqlml;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.execution.CommandExecutionMode;
import org.apache.spark.sql.internal.SQLConf$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Metadata;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction0;
import scala.runtime.AbstractPartialFunction;

/**
 * A model's function as expressions over slots: the inputs first, then one definition after another, then the result.
 * Made once a version of a model and application; each query brings the columns that are its inputs.
 *
 * @param inputs the type of each input
 * @param definitions the n-th reads inputs and definitions before it only
 * @param type of the result as queries see it: the same under every engine, also where nothing in it is ever NULL, so that
 *     a view of one session is that of another
 */
public record Program(
    List<DataType> inputs, List<Expression> definitions, List<Boolean> nullable, Expression result, DataType type)
    implements java.io.Serializable {

  /** What Spark's arithmetic, texts and times depend on, as a graph has it: no setting of a session changes a model. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          "spark.sql.ansi.enabled", "false",
          "spark.sql.legacy.exponentLiteralAsDecimal.enabled", "false",
          "spark.sql.parser.escapedStringLiterals", "false",
          "spark.sql.session.timeZone", "UTC",
          "spark.sql.timestampType", "TIMESTAMP_LTZ",
          "spark.sql.variable.substitute", "false");

  /** A session of its own, without anybody's functions; one an application. */
  private static org.apache.spark.sql.classic.SparkSession clean;

  private static synchronized org.apache.spark.sql.classic.SparkSession clean(
      org.apache.spark.sql.classic.SparkSession around) {
    if (clean == null || clean.sparkContext() != around.sparkContext()) {
      clean = around.newSession();
      SETTINGS.forEach((key, value) -> clean.conf().set(key, value));
    }
    return clean;
  }

  /** Each is made once a version of a model, and hashing all of it would take longer than the query that asks. */
  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  /** How many expressions there are in all of it. */
  int size() {
    int size = size(result);
    for (Expression definition : definitions) {
      size += size(definition);
    }
    return size;
  }

  private static int size(Expression expression) {
    int size = 1;
    for (Expression child : CollectionConverters.asJava(expression.children())) {
      size += size(child);
    }
    return size;
  }

  /**
   * What `sqlml.compiler.catalyst` wrote.
   *
   * @param arrays forests and tables in their bytes; of a list of texts nothing, they are in the description
   */
  public static Program of(SparkSession given, String description, List<byte[]> arrays) {
    var session = clean((org.apache.spark.sql.classic.SparkSession) given);
    return SQLConf$.MODULE$.withExistingConf(
        session.sessionState().conf(),
        new AbstractFunction0<>() {
          @Override
          public Program apply() {
            try {
              return analysed(session, description, arrays);
            } catch (ParseException e) {
              throw new IllegalStateException(e);
            }
          }
        });
  }

  private static Program analysed(
      org.apache.spark.sql.classic.SparkSession session, String description, List<byte[]> arrays)
      throws ParseException {
    JsonNode described = Replies.read(description);
    List<Attribute> slots = new ArrayList<>();
    List<DataType> inputs = new ArrayList<>();
    for (JsonNode input : described.get("inputs")) {
      inputs.add(DataType.fromDDL(input.asText()));
      slots.add(attribute("i" + slots.size(), inputs.get(inputs.size() - 1)));
    }
    List<Object> known = new ArrayList<>();
    for (int i = 0; i < arrays.size(); i++) {
      known.add(array(described.get("arrays").get(i), arrays.get(i)));
    }
    List<Boolean> nullable = new ArrayList<>();
    List<NamedExpression> written = new ArrayList<>();
    for (JsonNode definition : described.get("definitions")) {
      String type = definition.get("type").asText();
      DataType kind = type.equals("numbers") ? ForestScores.NUMBERS : DataType.fromDDL(type);
      slots.add(attribute("d" + written.size(), kind));
      nullable.add(definition.get("nullable").asBoolean());
      written.add(named(parsed(session, definition.get("sql").asText(), known)));
    }
    written.add(named(parsed(session, described.get("output").asText(), known)));
    LogicalPlan plan =
        new Project(
            CollectionConverters.asScala(written).toSeq(),
            new LocalRelation(CollectionConverters.asScala(slots).toSeq(), PredictFunction.seq(), false, Option.empty()));
    Project analysed = (Project) session.sessionState().executePlan(plan, CommandExecutionMode.ALL()).analyzed();
    return resolved(inputs, slots, nullable, analysed, DataType.fromDDL(described.get("type").asText()));
  }

  private static Program resolved(
      List<DataType> inputs, List<Attribute> slots, List<Boolean> nullable, Project plan, DataType type) {
    Map<ExprId, Slot> places = new HashMap<>();
    for (int i = 0; i < slots.size(); i++) {
      boolean may = i < inputs.size() || nullable.get(i - inputs.size());
      places.put(slots.get(i).exprId(), new Slot(i, slots.get(i).dataType(), may));
    }
    List<Expression> definitions = new ArrayList<>();
    for (NamedExpression one : CollectionConverters.asJava(plan.projectList())) {
      int place = definitions.size() + inputs.size();
      DataType wanted = place < slots.size() ? slots.get(place).dataType() : type;
      Expression found = ((Alias) one).child();
      if (!found.dataType().equals(wanted) && !DataType.equalsStructurally(found.dataType(), wanted, true)) {
        found = Cast$.MODULE$.apply(found, wanted, false);
      }
      definitions.add(folded(slotted(found, places)));
    }
    return new Program(
        inputs, List.copyOf(definitions.subList(0, nullable.size())), nullable, definitions.get(nullable.size()), type);
  }

  private static Object array(JsonNode described, byte[] bytes) {
    switch (described.get("kind").asText()) {
      case "forest":
        return Forest.of(bytes);
      case "texts":
        List<String> keys = new ArrayList<>();
        described.get("keys").forEach(key -> keys.add(key.asText()));
        return new Texts(keys, described.get("missing").asLong());
      default:
        double[] values = new double[bytes.length / Double.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer().get(values);
        return values;
    }
  }

  private static Expression parsed(org.apache.spark.sql.classic.SparkSession session, String sql, List<Object> arrays)
      throws ParseException {
    Expression parsed = session.sessionState().sqlParser().parseExpression(sql);
    return parsed.transformUp(
        new AbstractPartialFunction<>() {
          @Override
          public boolean isDefinedAt(Expression node) {
            return node instanceof UnresolvedFunction call && name(call).startsWith("sqlml_");
          }

          @Override
          public Expression apply(Expression node) {
            UnresolvedFunction call = (UnresolvedFunction) node;
            return own(name(call), CollectionConverters.asJava(call.arguments()), arrays);
          }
        });
  }

  /** Python writes the names of functions in capital letters. */
  private static String name(UnresolvedFunction call) {
    return call.nameParts().head().toLowerCase(Locale.ROOT);
  }

  private static Expression own(String function, List<Expression> arguments, List<Object> arrays) {
    int last = arguments.size() - 1;
    if (function.equals("sqlml_quotient")) {
      return new Quotient(arguments.get(0), arguments.get(1));
    }
    if (function.equals("sqlml_sum")) {
      return new ForestScore(number(arguments.get(last)), arguments.get(0));
    }
    Object array = arrays.get(number(arguments.get(0)));
    return switch (function) {
      case "sqlml_forest" -> new ForestScores((Forest) array, List.copyOf(arguments.subList(1, arguments.size())));
      case "sqlml_place" -> new TextPlace((Texts) array, arguments.get(last));
      case "sqlml_table" -> new TableValue((double[]) array, arguments.get(last));
      default -> throw new IllegalArgumentException(function);
    };
  }

  private static int number(Expression literal) {
    return ((Number) ((Literal) literal).value()).intValue();
  }

  private static Expression slotted(Expression expression, Map<ExprId, Slot> places) {
    return expression.transformUp(
        new AbstractPartialFunction<>() {
          @Override
          public boolean isDefinedAt(Expression node) {
            return node instanceof AttributeReference;
          }

          @Override
          public Expression apply(Expression node) {
            return places.get(((AttributeReference) node).exprId());
          }
        });
  }

  /** With its constants computed: no optimizer comes to these expressions. */
  private static Expression folded(Expression expression) {
    return expression.transformDown(
        new AbstractPartialFunction<>() {
          @Override
          public boolean isDefinedAt(Expression node) {
            return node.foldable() && !(node instanceof Literal);
          }

          @Override
          public Expression apply(Expression node) {
            return Literal.create(node.eval(null), node.dataType());
          }
        });
  }

  private static Attribute attribute(String name, DataType type) {
    ExprId id = NamedExpression$.MODULE$.newExprId();
    return new AttributeReference(name, type, true, Metadata.empty(), id, PredictFunction.seq());
  }

  private static NamedExpression named(Expression expression) {
    ExprId id = NamedExpression$.MODULE$.newExprId();
    return new Alias(expression, "value", id, PredictFunction.seq(), Option.empty(), PredictFunction.seq());
  }
}
