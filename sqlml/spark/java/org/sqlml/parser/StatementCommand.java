package org.sqlml.parser;

import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.types.DataTypeUtils;
import org.apache.spark.sql.execution.command.LeafRunnableCommand;
import org.apache.spark.sql.execution.command.RunnableCommand;
import org.apache.spark.sql.types.StructType;
import org.sqlml.common.CurrentUser;
import org.sqlml.common.Positions;
import org.sqlml.common.Seqs;
import org.sqlml.python.Bridge;
import org.sqlml.python.Replies;
import org.sqlml.python.StatementExecution;
import scala.Enumeration;
import scala.Function1;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A logical command for one of sqlml's statements: its text, its query and the columns of its result. The work is done
 * when Spark runs the command, not when it parses it. In a script it may run more than once.
 */
final class StatementCommand extends LogicalPlan implements LeafRunnableCommand {
  private final Positions positions;
  private final String sql;
  private final String title;
  private final LogicalPlan query;
  private final Seq<Attribute> output;
  private Seq<Enumeration.Value> nodePatterns;

  /**
   * @param positions the text that is run, in which the parameters have been replaced by their values, and the user's
   *     own text, for the positions in errors
   * @param title what EXPLAIN shows
   * @param schema the result's columns as Spark DDL
   * @param query the parsed plan of the statement's query; null where it has none
   */
  StatementCommand(Positions positions, String title, String schema, LogicalPlan query) {
    this.positions = positions;
    this.sql = positions.rewritten();
    this.title = title;
    this.query = query;
    this.output = cast(DataTypeUtils.toAttributes(StructType.fromDDL(schema)));
    Command.$init$(this);
    RunnableCommand.$init$(this);
  }

  @Override
  public Seq<Attribute> output() {
    return output;
  }

  @Override
  public Seq<Row> run(SparkSession session) {
    try (StatementExecution call = new StatementExecution(session, positions, query)) {
      String user = CurrentUser.of(session);
      Object reply = Bridge.order(session, handler -> handler.run(session, user, call, sql));
      List<?> rows = Replies.object(reply, List.class, positions);
      return cast(CollectionConverters.asScala(rows).toSeq());
    }
  }

  @Override
  public String nodeName() {
    return title;
  }

  @Override
  public String simpleString(int maxFields) {
    return title;
  }

  @Override
  public String verboseStringWithOperatorId() {
    return formattedNodeName() + "\n" + sql.strip() + "\n";
  }

  /** A plan that never changes needs no copies; and a copy's columns would have other expression ids. */
  @Override
  public LogicalPlan clone() {
    return this;
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
  public Seq<Enumeration.Value> nodePatterns() {
    return nodePatterns;
  }

  @Override
  public void org$apache$spark$sql$catalyst$plans$logical$Command$_setter_$nodePatterns_$eq(
      Seq<Enumeration.Value> patterns) {
    nodePatterns = patterns;
  }

  @Override
  public int productArity() {
    return 1;
  }

  @Override
  public Object productElement(int index) {
    return sql;
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof StatementCommand;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StatementCommand command && command.sql.equals(sql);
  }

  @Override
  public int hashCode() {
    return sql.hashCode();
  }

  @SuppressWarnings("unchecked")
  private static <T> Seq<T> cast(Object sequence) {
    return (Seq<T>) sequence;
  }
}
