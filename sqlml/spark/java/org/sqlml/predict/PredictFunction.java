package org.sqlml.predict;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.QueryPlanningTracker;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Collate;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.ResolvedCollation;
import org.apache.spark.sql.catalyst.expressions.ScalarSubquery;
import org.apache.spark.sql.catalyst.plans.logical.CTERelationRef;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.OneRowRelation;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.WithCTE;
import org.apache.spark.sql.catalyst.util.CollationFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.sqlml.common.CurrentUser;
import org.sqlml.common.Failure;
import org.sqlml.common.Json;
import org.sqlml.common.Seqs;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.SqlmlAnalysisException;
import org.sqlml.python.Bridge;
import org.sqlml.python.Replies;
import scala.Option;
import scala.Some;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/**
 * The builder of PREDICT(model, …): chooses the model's version and brings the arguments into the order of its
 * features.
 */
public final class PredictFunction {
  /**
   * The versions each query has chosen so far. Spark makes one planning tracker per query and keeps it on the thread
   * while it analyses, through subqueries and views; so one query never mixes two versions of a model.
   */
  private static final Map<QueryPlanningTracker, Map<String, Pinned>> PINNED =
      Collections.synchronizedMap(new WeakHashMap<>());

  /** The function behind the table forms: its second argument says which outputs. */
  private static final String OUTPUTS = "predict_outputs";

  private static final int LONGEST_NAME = 400;

  /** The function of Spark's that `*` is rewritten to. */
  private static final String STRUCT = "struct";

  private static final AbstractFunction1<LogicalPlan, Object> READS_CTE = kind(CTERelationRef.class);
  private static final AbstractFunction1<LogicalPlan, Object> HAS_CTE = kind(WithCTE.class);

  private final String function;

  public PredictFunction(String function) {
    this.function = function;
  }

  /** The expression that stands for the call; its arguments are resolved. */
  public Expression build(Seq<Expression> children) {
    List<Expression> arguments = CollectionConverters.asJava(children);
    SparkSession session = SparkSession.active();
    Object model = model(session, arguments);
    if (function.equals(Provenance.FUNCTION)) {
      return provenance(session, model, arguments.size());
    }
    String shown = model instanceof String text ? text : "(a model)";
    int first = function.equals(OUTPUTS) ? 2 : 1;
    String outputs = first == 2 ? outputs(arguments) : null;
    Arguments bound = Arguments.of(arguments.subList(first, arguments.size()));
    Map<String, Pinned> pinned = pinned();
    String pin = pin(shown);
    // Views run with the caller's permissions: the user is whoever reads the view.
    String user = CurrentUser.of(session);
    Object reply =
        Bridge.ask(
            session,
            handler ->
                handler.predict(
                    session, user, function, model, outputs, bound.json(), bound.byName(), version(pinned.get(pin))));
    ResolvedCall prediction = Replies.object(reply, ResolvedCall.class, null);
    if (model instanceof String) {
      pinned.putIfAbsent(pin, new Pinned(prediction.version(), prediction.lastKnownAt()));
    }
    List<Expression> written = new ArrayList<>();
    List<Expression> inputs = new ArrayList<>();
    for (int i = 0; i < prediction.order().size(); i++) {
      Expression input = bound.expressions().get(prediction.order().get(i));
      String cast = prediction.casts().get(i);
      written.add(input);
      inputs.add(cast == null ? input : CharType.cast(input, cast));
    }
    TransformClause.Stored transform = prediction.transform();
    List<Expression> features =
        transform == null ? inputs : TransformClause.expressions(session, transform, inputs, shown);
    // Column pruning: unused features are no part of the expression, so that Spark need not read them.
    List<Expression> used = prediction.used().stream().map(index -> compared(prediction, features, index)).toList();
    List<PredictCall.Argument> headers = bound.shown(prediction.order());
    ScoringRight right = new ScoringRight(user, prediction.model(), prediction.digest());
    Expression scored = collated(prediction.over(function, used));
    return new PredictCall(scored, written, function + "(" + shown, headers, right, prediction.fallible());
  }

  /**
   * A label with a collation has it explicitly. Spark would else take it for a literal's, which gives way to no other
   * literal's: neither could be compared with the other.
   */
  private static Expression collated(Expression label) {
    return label.dataType() instanceof StringType text && !text.equals(DataTypes.StringType)
        ? new Collate(label, new ResolvedCollation(CollationFactory.fetchCollation(text.collationId()).collationName))
        : label;
  }

  /** A feature as the model compares it. */
  private static Expression compared(ResolvedCall prediction, List<Expression> features, int index) {
    TextEquality texts = prediction.texts() == null ? null : prediction.texts().get(index);
    return texts == null ? features.get(index) : texts.over(features.get(index));
  }

  /** The version that the query's other calls of the model use too, whichever of them is resolved first. */
  private Expression provenance(SparkSession session, Object model, int count) {
    if (count > 1 || !(model instanceof String reference)) {
      throw mismatch("PREDICT_PROVENANCE takes only the name of a registered model.");
    }
    Map<String, Pinned> pinned = pinned();
    String pin = pin(reference);
    String user = CurrentUser.of(session);
    Object reply = Bridge.ask(session, handler -> handler.provenance(session, user, reference, version(pinned.get(pin))));
    Provenance found = Replies.object(reply, Provenance.class, null);
    // A query asks the registry what the reference means once; later calls of the query are loaded by number.
    Pinned first = pinned.putIfAbsent(pin, new Pinned(String.valueOf(found.version()), found.lastKnownAt()));
    if (first != null) {
      found = found.lastKnownAt(first.lastKnownAt());
    }
    ScoringRight right = new ScoringRight(user, found.model(), found.digest());
    return new PredictCall(found.expression(), List.of(), function + "(" + reference, List.of(), right, false);
  }

  /** A reference to a registered model, or the query of one value that has the bytes of any. */
  private Object model(SparkSession session, List<Expression> arguments) {
    Expression first = arguments.isEmpty() ? null : arguments.get(0);
    if (first != null && first.foldable() && first.dataType() instanceof StringType) {
      Object value = first.eval(null);
      if (value != null && !(function.equals(OUTPUTS) && isHex(value.toString()))) {
        return value.toString();
      }
    }
    if (first != null && function.equals(OUTPUTS)) {
      if (first instanceof ScalarSubquery subquery) {
        if (!subquery.outerAttrs().isEmpty()) {
          throw mismatch("The query that returns the model cannot use columns of the rows to score.");
        }
        if (subquery.plan().exists(READS_CTE) && !subquery.plan().exists(HAS_CTE)) {
          throw mismatch(
              "The query that returns the model cannot read a common table expression of the query around it.");
        }
        return rows(session, subquery.plan());
      }
      if (first.foldable()) {
        Seq<NamedExpression> value =
            CollectionConverters.asScala(List.<NamedExpression>of(named(first))).toSeq();
        return rows(session, new Project(value, new OneRowRelation()));
      }
    }
    throw mismatch(
        "The first argument of "
            + function.toUpperCase(Locale.ROOT)
            + " must be the model: a bare name, or a constant string such as 'churn',"
            + " 'churn/3' or 'churn@champion'.");
  }

  private static AbstractFunction1<LogicalPlan, Object> kind(Class<? extends LogicalPlan> kind) {
    return new AbstractFunction1<>() {
      @Override
      public Object apply(LogicalPlan plan) {
        return kind.isInstance(plan);
      }
    };
  }

  private static Dataset<Row> rows(SparkSession session, LogicalPlan plan) {
    return org.apache.spark.sql.classic.Dataset.ofRows((org.apache.spark.sql.classic.SparkSession) session, plan);
  }

  private static Alias named(Expression value) {
    return new Alias(value, "model", NamedExpression$.MODULE$.newExprId(), Seqs.empty(), Option.empty(), Seqs.empty());
  }

  /** A name begins with no digit, so that a text in hexadecimal is no name where it has 0x before it; or is too long. */
  private static boolean isHex(String text) {
    return text.startsWith("0x") || text.startsWith("0X") || text.length() > LONGEST_NAME;
  }

  private String outputs(List<Expression> arguments) {
    Expression second = arguments.size() < 2 ? null : arguments.get(1);
    if (second != null && second.foldable() && second.dataType() instanceof StringType) {
      Object value = second.eval(null);
      if (value != null) {
        return value.toString();
      }
    }
    throw mismatch(
        "The second argument of PREDICT_OUTPUTS must be a constant string that describes the outputs, such as '{}'.");
  }

  private static RuntimeException mismatch(String message) {
    String condition = "SQLML_BINDING_MISMATCH";
    Failure failure = new Failure(condition, "42K09", "[" + condition + "] " + message, null, null);
    return SneakyThrow.of(new SqlmlAnalysisException(failure));
  }

  /** The same key for every spelling of a reference: names know no case, aliases do. */
  private static String pin(String model) {
    int alias = model.indexOf('@');
    String name = alias < 0 ? model : model.substring(0, alias);
    return name.toLowerCase(Locale.ROOT) + model.substring(name.length());
  }

  private static String version(Pinned pinned) {
    return pinned == null ? null : pinned.version();
  }

  private static Map<String, Pinned> pinned() {
    Option<QueryPlanningTracker> tracker = QueryPlanningTracker.get();
    return tracker.isEmpty()
        ? new ConcurrentHashMap<>()
        : PINNED.computeIfAbsent(tracker.get(), key -> new ConcurrentHashMap<>());
  }

  /** The version that a query uses of a model; {@code lastKnownAt} is as in {@code Provenance}. */
  private record Pinned(String version, String lastKnownAt) {}

  /**
   * The features' side of a call.
   *
   * @param names the column each expression is, or null
   * @param byName whether the arguments are bound by their names, which all of them have
   * @param explicit whether the user wrote the names, `name => expression`; extra columns of `*` are ignored instead
   */
  private record Arguments(List<Expression> expressions, List<String> names, boolean byName, boolean explicit) {

    static Arguments of(List<Expression> arguments) {
      if (arguments.size() == 1 && arguments.get(0) instanceof CreateNamedStruct struct) {
        // `*` is rewritten to struct(*) before Spark parses it, and `name => expression` to named_struct(…). Both become
        // this expression, which keeps the name of the function.
        boolean explicit = !struct.prettyName().equals(STRUCT);
        return new Arguments(CollectionConverters.asJava(struct.valExprs()), names(struct), true, explicit);
      }
      if (arguments.size() == 1 && arguments.get(0).dataType() instanceof StructType type) {
        List<Expression> fields = new ArrayList<>();
        for (int i = 0; i < type.fields().length; i++) {
          fields.add(new GetStructField(arguments.get(0), i, new Some<>(type.fields()[i].name())));
        }
        return new Arguments(fields, List.of(type.fieldNames()), true, false);
      }
      List<String> names = new ArrayList<>();
      for (Expression expression : arguments) {
        names.add(name(expression));
      }
      return new Arguments(arguments, names, false, false);
    }

    /** For each argument in the order of the features, how the header of a column shows it; null for a star. */
    List<PredictCall.Argument> shown(List<Integer> order) {
      List<PredictCall.Argument> shown = new ArrayList<>();
      boolean renamed = false;
      for (int index : order) {
        renamed |= byName && !names.get(index).equals(name(expressions.get(index)));
        shown.add(new PredictCall.Argument(index, byName ? names.get(index) : null));
      }
      return byName && !renamed ? null : shown;
    }

    private static List<String> names(CreateNamedStruct struct) {
      List<String> names = new ArrayList<>();
      for (StructField field : struct.dataType().fields()) {
        names.add(field.name());
      }
      return names;
    }

    private static String name(Expression expression) {
      if (expression instanceof NamedExpression named) {
        return named.name();
      }
      return expression instanceof GetStructField field ? field.extractFieldName() : null;
    }

    String json() {
      List<Map<String, Object>> described = new ArrayList<>();
      for (int i = 0; i < expressions.size(); i++) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("name", names.get(i));
        one.put("type", CharType.typeOf(expressions.get(i)));
        one.put("explicit", explicit);
        described.add(one);
      }
      return Json.write(described);
    }
  }
}
