package org.sqlml.expressions;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.execution.CommandExecutionMode;
import org.apache.spark.sql.internal.SQLConf$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.sqlml.common.Json;
import org.sqlml.common.Seqs;
import org.sqlml.common.TreeTransform;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction0;

/**
 * A model as expressions over slots: the inputs first, then one definition after another, then the numbers that it gives.
 * Made once a version of a model and application; each query brings the columns that are its inputs, and takes those
 * numbers that it asks for.
 *
 * @param inputs the type of each input
 * @param definitions the n-th reads inputs and definitions before it only
 * @param numbers doubles, never NULL; see Labels for what they are where there are labels
 * @param present without it there is no answer; null where there is always one
 * @param labels null where the numbers are what the model predicts
 */
public record Program(
    List<DataType> inputs,
    List<Expression> definitions,
    List<Boolean> nullable,
    List<Expression> numbers,
    Expression present,
    Labels labels)
    implements java.io.Serializable {

  /** The settings that arithmetic, texts and times depend on, as a graph has them: no session's changes a model. */
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

  /**
   * How often each slot is read where some of the numbers are computed and whether there is an answer. A definition that
   * nobody reads is not needed.
   */
  int[] reads(Set<Integer> wanted) {
    int[] reads = new int[inputs.size() + definitions.size()];
    wanted.forEach(index -> count(numbers.get(index), reads));
    if (present != null) {
      count(present, reads);
    }
    for (int i = definitions.size() - 1; i >= 0; i--) {
      if (reads[inputs.size() + i] > 0) {
        count(definitions.get(i), reads);
      }
    }
    return reads;
  }

  private static void count(Expression reader, int[] reads) {
    if (reader instanceof SlotReference slot) {
      reads[slot.ordinal()]++;
    }
    CollectionConverters.asJava(reader.children()).forEach(child -> count(child, reads));
  }

  /** How many expressions some of the numbers are, with the definitions that are read for them. */
  int size(Set<Integer> wanted, int[] reads) {
    int size = wanted.stream().mapToInt(index -> size(numbers.get(index))).sum();
    for (int i = 0; i < definitions.size(); i++) {
      size += reads[inputs.size() + i] > 0 ? size(definitions.get(i)) : 0;
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
   * Reads the description that `sqlml.compiler.catalyst` wrote.
   *
   * @param arrays forests and tables in their bytes; of a list of texts nothing, they are in the description
   */
  public static Program of(SparkSession caller, String description, List<byte[]> arrays) {
    var session = clean((org.apache.spark.sql.classic.SparkSession) caller);
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
    JsonNode described = Json.read(description);
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
    boolean labelled = !described.get("labels").isEmpty();
    DataType labelType = labelled ? DataType.fromDDL(described.get("label_type").asText()) : null;
    List<DataType> types = new ArrayList<>();
    slots.subList(inputs.size(), slots.size()).forEach(slot -> types.add(slot.dataType()));
    for (JsonNode number : described.get("numbers")) {
      types.add(DataTypes.DoubleType);
      written.add(named(parsed(session, number.asText(), known)));
    }
    for (JsonNode label : described.get("labels")) {
      types.add(labelType);
      written.add(named(parsed(session, label.asText(), known)));
    }
    String present = described.get("present").asText();
    if (!present.isEmpty()) {
      types.add(DataTypes.BooleanType);
      written.add(named(parsed(session, present, known)));
    }
    LogicalPlan plan =
        new Project(
            CollectionConverters.asScala(written).toSeq(),
            new LocalRelation(CollectionConverters.asScala(slots).toSeq(), Seqs.empty(), false, Option.empty()));
    Project analysed = (Project) session.sessionState().executePlan(plan, CommandExecutionMode.ALL()).analyzed();
    List<Expression> found = resolved(inputs.size(), slots, nullable, analysed, types);
    int numbers = nullable.size() + described.get("numbers").size();
    int labels = numbers + described.get("labels").size();
    List<Object> values = new ArrayList<>();
    found.subList(numbers, labels).forEach(label -> values.add(label.eval(null)));
    return new Program(
        inputs,
        List.copyOf(found.subList(0, nullable.size())),
        nullable,
        List.copyOf(found.subList(nullable.size(), numbers)),
        present.isEmpty() ? null : found.get(labels),
        labelled ? new Labels(values, labelType, described.get("unknown").asBoolean()) : null);
  }

  /** Labels alone, of a description that has nothing else. */
  public static Labels labelsOf(SparkSession session, String description) {
    return of(session, description, List.of()).labels();
  }

  /** The analysed expressions, over slots and cast to the types that are wanted. */
  private static List<Expression> resolved(
      int inputs, List<Attribute> slots, List<Boolean> nullable, Project plan, List<DataType> types) {
    Map<ExprId, SlotReference> slotsById = new HashMap<>();
    for (int i = 0; i < slots.size(); i++) {
      boolean may = i < inputs || nullable.get(i - inputs);
      slotsById.put(slots.get(i).exprId(), new SlotReference(i, slots.get(i).dataType(), may));
    }
    List<Expression> resolved = new ArrayList<>();
    for (NamedExpression one : CollectionConverters.asJava(plan.projectList())) {
      DataType wanted = types.get(resolved.size());
      Expression found = ((Alias) one).child();
      if (!found.dataType().equals(wanted)) {
        found = Cast$.MODULE$.apply(found, wanted, false);
      }
      resolved.add(folded(slotted(found, slotsById).transformUp(TreeTransform.by(Program::floating))));
    }
    return resolved;
  }

  private static Expression floating(Expression node) {
    Expression comparison = IeeeOperation.comparison(node);
    return comparison == null ? MonotoneFunction.exponential(node) : comparison;
  }

  private static Object array(JsonNode described, byte[] bytes) {
    switch (described.get("kind").asText()) {
      case "forest":
        return Forest.of(bytes);
      case "texts":
        List<String> keys = new ArrayList<>();
        described.get("keys").forEach(key -> keys.add(key.asText()));
        return new TextDictionary(keys, described.get("missing").asLong());
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
        TreeTransform.by(
            node ->
                node instanceof UnresolvedFunction call && name(call).startsWith("sqlml_")
                    ? own(name(call), CollectionConverters.asJava(call.arguments()), arrays)
                    : null));
  }

  /** Python writes the names of functions in capital letters. */
  private static String name(UnresolvedFunction call) {
    return call.nameParts().head().toLowerCase(Locale.ROOT);
  }

  private static Expression own(String function, List<Expression> arguments, List<Object> arrays) {
    int last = arguments.size() - 1;
    if (function.equals("sqlml_quotient")) {
      return IeeeOperation.quotient(arguments.get(0), arguments.get(1));
    }
    if (function.equals("sqlml_sigmoid")) {
      return MonotoneFunction.sigmoid(arguments.get(0));
    }
    if (function.equals("sqlml_floor")) {
      return MonotoneFunction.floor(arguments.get(0));
    }
    if (function.equals("sqlml_power")) {
      return NullAsNaNFunction.power(arguments.get(0), arguments.get(1));
    }
    if (function.equals("sqlml_whole")) {
      return NullAsNaNFunction.whole(arguments.get(0), number(arguments.get(1)));
    }
    if (function.equals("sqlml_first_largest")) {
      return NullAsNaNFunction.firstLargest(List.copyOf(arguments));
    }
    if (function.equals("sqlml_finite")) {
      return new FiniteOrElse(arguments.get(0), arguments.get(1));
    }
    if (function.equals("sqlml_sum")) {
      return new ModelOutput(number(arguments.get(last)), arguments.get(0));
    }
    Object array = arrays.get(number(arguments.get(0)));
    return switch (function) {
      case "sqlml_forest" -> new ForestScores((Forest) array, List.copyOf(arguments.subList(1, arguments.size())));
      case "sqlml_place" -> new DictionaryEncode((TextDictionary) array, arguments.get(last));
      case "sqlml_table" -> new TableLookup((double[]) array, arguments.get(last));
      default -> throw new IllegalArgumentException(function);
    };
  }

  private static int number(Expression literal) {
    return ((Number) ((Literal) literal).value()).intValue();
  }

  private static Expression slotted(Expression expression, Map<ExprId, SlotReference> slotsById) {
    return expression.transformUp(
        TreeTransform.by(node -> node instanceof AttributeReference column ? slotsById.get(column.exprId()) : null));
  }

  /** With its constants computed: no optimizer comes to these expressions. */
  private static Expression folded(Expression expression) {
    return expression.transformDown(
        TreeTransform.by(
            node ->
                node.foldable() && !(node instanceof Literal)
                    ? Literal.create(node.eval(null), node.dataType())
                    : null));
  }

  private static Attribute attribute(String name, DataType type) {
    ExprId id = NamedExpression$.MODULE$.newExprId();
    return new AttributeReference(name, type, true, Metadata.empty(), id, Seqs.empty());
  }

  private static NamedExpression named(Expression expression) {
    ExprId id = NamedExpression$.MODULE$.newExprId();
    return new Alias(expression, "value", id, Seqs.empty(), Option.empty(), Seqs.empty());
  }
}
