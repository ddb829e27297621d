package org.sqlml.python;

import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.Dataset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlml.common.Commands;
import org.sqlml.common.ConnectClient;
import org.sqlml.common.OriginRewriter;
import org.sqlml.common.Positions;
import org.sqlml.common.SelectList;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.TableReferences;

/** The JVM side of one running statement, for Python: runs its queries, shows progress, reports cancellation. */
public final class StatementExecution implements AutoCloseable {
  /** Hive's logger for news to the user: a Thrift server copies what it gets to the operation's own log. */
  private static final Logger CLIENT_LOG = LoggerFactory.getLogger("SessionState");

  private static final boolean IN_SHELL =
      System.getProperty("sun.java.command", "").contains("SparkSQLCLIDriver");

  private static final long WATCH_MILLIS = 1_000;

  private final SparkSession session;
  private final Positions positions;
  private final LogicalPlan query;
  private final ScriptContext script = ScriptContext.ofThisThread();
  private final Thread thread = Thread.currentThread();
  private final Thread watch;
  private volatile boolean seenCancelled;

  /**
   * Must be made on the statement's own thread.
   *
   * @param positions the text that is run, and the user's
   * @param query the parsed plan of the statement's query, or null
   */
  public StatementExecution(SparkSession session, Positions positions, LogicalPlan query) {
    this.session = session;
    this.positions = positions;
    this.query = query;
    ConnectClient client = ConnectClient.ofThisThread(session);
    watch = client == null ? null : new Thread(() -> watch(client), "sqlml-client-watch");
    if (watch != null) {
      watch.setDaemon(true);
      watch.start();
    }
  }

  @Override
  public void close() {
    if (watch != null) {
      watch.interrupt();
    }
  }

  // Queries and commands run here see the variables of the SQL script that contains the statement.

  /** The rows of the statement's query, which Spark parsed with the statement. */
  public Dataset<Row> query() {
    return rows(query);
  }

  /**
   * The rows of another query, which Spark has not parsed yet: one that stands in a clause, or in the registry.
   *
   * @param own whether the query is part of the statement's text, padded with blanks up to its offset there; the
   *     positions of Spark's errors are then mapped to the user's text
   */
  public Dataset<Row> frame(String text, boolean own) {
    Positions placed = positions.over(text);
    try {
      LogicalPlan plan = parse(text);
      Commands.refuse(plan, text);
      if (own) {
        OriginRewriter.mapped(plan, placed);
      }
      return rows(plan);
    } catch (ParseException e) {
      throw SneakyThrow.of(own ? placed.mapped(e) : e);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The rows of a DataFrame with the columns of a select list; null where the text is anything else. */
  public Dataset<Row> select(Dataset<Row> frame, String text) {
    SelectList list = SelectList.parse(session, text);
    return list == null ? null : script.call(() -> list.select(frame, List.of()));
  }

  /** The tables that a query names; see `TableReferences`. */
  public String tables(String query) throws ParseException {
    return TableReferences.of(parse(query));
  }

  /** Runs a command of Spark's that sqlml wrote. */
  public void execute(String command) throws ParseException {
    rows(parse(command));
  }

  private LogicalPlan parse(String text) throws ParseException {
    return classic().sessionState().sqlParser().parsePlan(text);
  }

  /** Spark runs a command when its rows are asked for. */
  private Dataset<Row> rows(LogicalPlan plan) {
    return script.call(() -> Dataset.ofRows(classic(), plan));
  }

  private org.apache.spark.sql.classic.SparkSession classic() {
    return (org.apache.spark.sql.classic.SparkSession) session;
  }

  /** One line for the user. Must be called on the statement's own thread, which the operation's log is bound to. */
  public void progress(String text) {
    CLIENT_LOG.info(text);
    if (IN_SHELL) {
      System.err.println(text);
    }
  }

  /** Whether the client has cancelled the statement or gone away. */
  public boolean cancelled() {
    // The thread's flag is cleared by whoever notices it first, and that may be Spark; so it is remembered.
    if (thread.isInterrupted()) {
      seenCancelled = true;
    }
    return seenCancelled;
  }

  private void watch(ConnectClient client) {
    try {
      while (true) {
        Thread.sleep(WATCH_MILLIS);
        if (client.isGone()) {
          seenCancelled = true;
          // Repeated, because training may be between two Spark jobs, with nothing to cancel yet.
          client.cancelJobs();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
