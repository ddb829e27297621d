package org.sqlml.predict;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.trees.TreePattern;
import org.apache.spark.sql.types.DataType;
import org.sqlml.common.Seqs;
import scala.Enumeration;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A resolved PREDICT call: an expression with the value of its child, under the text that the user wrote. The
 * expression below is named after model and version, which EXPLAIN should show; but a result column, and a view's
 * column for ever, must not be called after a version.
 */
public final class PredictCall extends Expression implements java.io.Serializable {
  /**
   * The bit by which trees with a call are told from others. Spark's patterns are an enumeration, which nobody extends, and
   * a user's function comes closest: the analyzer's rules for that look at a node's class before they change it, and a
   * filter that has one is too dear for InjectRuntimeFilter to be evaluated a second time, as a model's is.
   */
  static final Enumeration.Value PATTERN = TreePattern.SCALA_UDF();

  private final Expression child;
  private final List<Expression> inputs;
  private final Seq<Expression> children;
  private final String call;
  private final List<Argument> arguments;
  private final ScoringRight right;
  private final boolean fallible;
  private final boolean inPlace;

  /**
   * How one of the inputs was written.
   *
   * @param index its index in the call
   * @param name the feature it was given to by name, or null
   */
  record Argument(int index, String name) implements java.io.Serializable {}

  /**
   * @param inputs what the call was given: more than the child takes where the model does not use all of it
   * @param call the function and the model: predict(churn
   * @param arguments one for each of the inputs; null where the call says `*`
   * @param right to score with the model: who had it when the call was resolved
   * @param fallible whether there may be values for which the model itself fails
   */
  PredictCall(
      Expression child,
      List<Expression> inputs,
      String call,
      List<Argument> arguments,
      ScoringRight right,
      boolean fallible) {
    this(child, inputs, call, arguments, right, fallible, false);
  }

  private PredictCall(
      Expression child,
      List<Expression> inputs,
      String call,
      List<Argument> arguments,
      ScoringRight right,
      boolean fallible,
      boolean inPlace) {
    this.child = child;
    this.inputs = inputs;
    List<Expression> children = new ArrayList<>(List.of(child));
    children.addAll(inputs);
    this.children = CollectionConverters.asScala(children).toSeq();
    this.call = call;
    this.arguments = arguments;
    this.right = right;
    this.fallible = fallible;
    this.inPlace = inPlace;
  }

  /**
   * The same without the inputs, which are there for the header of a column: Spark would read what only stands in it.
   */
  PredictCall named() {
    String text = sql();
    return new PredictCall(child, List.of(), text.substring(0, text.length() - 1), List.of(), right, fallible);
  }

  public Expression child() {
    return child;
  }

  /** Another value under the same text. */
  public PredictCall over(Expression changed) {
    return new PredictCall(changed, inputs, call, arguments, right, fallible, inPlace);
  }

  /** The same, but nondeterministic to Spark's optimizer, which then evaluates it once and where it stands. */
  public PredictCall inPlace() {
    return new PredictCall(child, inputs, call, arguments, right, fallible, true);
  }

  ScoringRight right() {
    return right;
  }

  public boolean fallible() {
    return fallible;
  }

  boolean hasInputs() {
    return !inputs.isEmpty();
  }

  @Override
  public Seq<Expression> children() {
    return children;
  }

  @Override
  public Seq<Enumeration.Value> nodePatterns() {
    return Seqs.of(List.of(PATTERN));
  }

  @Override
  public DataType dataType() {
    return child.dataType();
  }

  @Override
  public boolean nullable() {
    return child.nullable();
  }

  @Override
  public boolean deterministic() {
    return !inPlace && super.deterministic();
  }

  // Since Spark 4.2, hence no @Override. It keeps a filter on a prediction above it, so that the model is not run once to
  // filter the rows and again for those that are left. KeepFiltersAbovePredictions is for the versions before.
  public boolean expensive() {
    return true;
  }

  @Override
  public Object eval(InternalRow row) {
    return child.eval(row);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode inner = child.genCode(context);
    return code.copy(inner.code(), inner.isNull(), inner.value());
  }

  /** Spark asks a copy of this node with a prettier child when it needs the header of a column. */
  @Override
  public String sql() {
    if (arguments == null) {
      return call + ", *)";
    }
    if (arguments.isEmpty()) {
      return call + ")";
    }
    TreeMap<Integer, String> shown = new TreeMap<>();
    for (int i = 0; i < arguments.size(); i++) {
      Argument argument = arguments.get(i);
      String value = inputs.get(i).sql();
      shown.put(argument.index(), argument.name() == null ? value : argument.name() + " => " + value);
    }
    return call + ", " + String.join(", ", shown.values()) + ")";
  }

  @Override
  public String toString() {
    return child.toString();
  }

  @Override
  public Expression withNewChildrenInternal(IndexedSeq<Expression> children) {
    List<Expression> changed = CollectionConverters.asJava(children);
    List<Expression> others = List.copyOf(changed.subList(1, changed.size()));
    return new PredictCall(changed.get(0), others, call, arguments, right, fallible, inPlace);
  }

  @Override
  public int productArity() {
    return 7;
  }

  @Override
  public Object productElement(int index) {
    return new Object[] {child, inputs, call, arguments, right, fallible, inPlace}[index];
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof PredictCall;
  }

  /** Equality ignores the header's text. It compares hasInputs, so that DropCallArguments' change is not lost. */
  @Override
  public boolean equals(Object other) {
    return other instanceof PredictCall predicted
        && predicted.child.equals(child)
        && predicted.hasInputs() == hasInputs()
        && predicted.inPlace == inPlace;
  }

  @Override
  public int hashCode() {
    return 31 * child.hashCode() + 1;
  }
}
