package org.sqlml.parser;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.parser.ParserInterface;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.ExplainMode;
import org.apache.spark.sql.execution.command.ExplainCommand;
import org.sqlml.common.Commands;
import org.sqlml.common.CurrentUser;
import org.sqlml.common.Failure;
import org.sqlml.common.OriginRewriter;
import org.sqlml.common.Positions;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.SqlmlParseException;
import org.sqlml.python.Bridge;
import org.sqlml.python.Replies;

/**
 * Spark's parser with our statements and functions in front. A text that is neither goes through untouched.
 *
 * <p>A proxy rather than a class: ParserInterface grows with every minor version of Spark, and methods this code has
 * never heard of must still reach the delegate.
 */
public final class SqlmlParser implements InvocationHandler {
  private static final int LONG = 100_000;

  /** Spark 4.0's parser does not: there the values come to a plan when it is analyzed. */
  public static final boolean PARSER_TAKES_PARAMETERS =
      Arrays.stream(ParserInterface.class.getMethods())
          .anyMatch(method -> method.getName().equals("parsePlanWithParameters"));

  private final SparkSession session;
  private final ParserInterface delegate;

  private SqlmlParser(SparkSession session, ParserInterface delegate) {
    this.session = session;
    this.delegate = delegate;
  }

  public static ParserInterface over(SparkSession session, ParserInterface delegate) {
    return (ParserInterface)
        Proxy.newProxyInstance(
            SqlmlParser.class.getClassLoader(),
            new Class<?>[] {ParserInterface.class},
            new SqlmlParser(session, delegate));
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    if (arguments == null || arguments.length == 0 || !(arguments[0] instanceof String text)) {
      return ask(method, arguments);
    }
    String name = method.getName();
    if (name.startsWith("parsePlan")) {
      Object plan = statement(text, method, arguments);
      return plan != null ? plan : parse(text, method, arguments);
    }
    if (name.startsWith("parseQuery") || name.startsWith("parseExpression")) {
      return parse(text, method, arguments);
    }
    return ask(method, arguments);
  }

  /** The command of one of our statements, explained or not; null when the text is none. */
  private LogicalPlan statement(String text, Method method, Object[] arguments) throws Throwable {
    int start = LeadingKeywords.skipBlank(text, 0);
    if (LeadingKeywords.startsStatement(text, start)) {
      return command(text, text, method, arguments);
    }
    int explained = LeadingKeywords.afterExplain(text, start);
    if (explained >= 0 && LeadingKeywords.startsStatement(text, explained)) {
      LogicalPlan command = command(Positions.blankBefore(text, explained), text, method, arguments);
      return command == null
          ? null
          : new ExplainCommand(command, ExplainMode.fromString(LeadingKeywords.explainMode(text, start)));
    }
    return null;
  }

  private LogicalPlan command(String sql, String shown, Method method, Object[] arguments) throws Throwable {
    if (!PARSER_TAKES_PARAMETERS && (sql.indexOf('?') >= 0 || sql.indexOf(':') >= 0)) {
      JsonNode found = Replies.parsed(Bridge.ask(session, handler -> handler.markers(sql)), shown);
      if (found != null) {
        return ParameterizedStatement.of(
            found.get("markers"),
            values -> {
              try {
                return command(sql, shown, values, method, arguments);
              } catch (Throwable e) {
                throw SneakyThrow.of(e);
              }
            });
      }
    }
    return command(sql, shown, ParameterValues.json(arguments), method, arguments);
  }

  private LogicalPlan command(String sql, String shown, String values, Method method, Object[] arguments)
      throws Throwable {
    Object reply = Bridge.ask(session, handler -> handler.parse(sql, values));
    JsonNode statement = Replies.parsed(reply, shown);
    return statement == null ? null : command(statement, shown, method, arguments);
  }

  private LogicalPlan command(JsonNode statement, String shown, Method method, Object[] arguments) throws Throwable {
    String sql = statement.get("sql").asText();
    Positions positions = new Positions(shown, sql, statement.get("edits"));
    JsonNode queryOffset = statement.get("query_offset");
    LogicalPlan query = null;
    if (!queryOffset.isNull()) {
      JsonNode queryEnd = statement.get("query_end");
      String upToItsEnd = queryEnd.isNull() ? sql : sql.substring(0, sql.offsetByCodePoints(0, queryEnd.asInt()));
      String alone = Positions.blankBefore(upToItsEnd, sql.offsetByCodePoints(0, queryOffset.asInt()));
      query = query(positions.over(alone), method, arguments);
    }
    return new StatementCommand(positions, statement.get("title").asText(), statement.get("schema").asText(), query);
  }

  /**
   * The plan of a statement's query. Spark parses it here and nowhere else: with the statement, so that a mistake in it is
   * found before anything is run, and for the run, which analyses this plan.
   */
  private LogicalPlan query(Positions positions, Method method, Object[] arguments) throws Throwable {
    String text = positions.rewritten();
    try {
      LogicalPlan plan = (LogicalPlan) parse(text, method, arguments);
      Commands.refuse(plan, text);
      return (LogicalPlan) OriginRewriter.mapped(plan, positions);
    } catch (ParseException e) {
      throw positions.mapped(e);
    }
  }

  /**
   * Spark's parser on the text with our function calls made plain; its complaints in terms of the user's text. Only a text
   * that may have such calls is tokenized for it: the grammar of a statement takes its query as it is.
   */
  private Object parse(String text, Method method, Object[] arguments) throws Throwable {
    if (!LeadingKeywords.mayCallFunction(text) && !LeadingKeywords.mayHoldStatement(text)) {
      return ask(method, with(text, arguments));
    }
    String user = CurrentUser.of(session);
    String values = ParameterValues.json(arguments);
    Object reply = Bridge.ask(session, handler -> handler.rewrite(session, user, text, values));
    JsonNode rewritten = Replies.parsed(reply, text);
    if (rewritten == null) {
      return ask(method, with(text, arguments));
    }
    stopIfCancelled(text);
    Positions positions = new Positions(text, rewritten.get("text").asText(), rewritten.get("edits"));
    Object tree;
    try {
      tree = OriginRewriter.mapped(ask(method, with(positions.rewritten(), arguments)), positions);
    } catch (ParseException e) {
      throw positions.mapped(e);
    }
    List<LogicalPlan> statements = new ArrayList<>();
    for (JsonNode statement : rewritten.get("statements")) {
      statements.add(command(statement, text, method, arguments));
    }
    if (!statements.isEmpty()) {
      ScriptStatements.place(tree, statements);
    }
    return tree;
  }

  /** Between two steps of a long text that take a second each, and neither of which looks at the thread. */
  private static void stopIfCancelled(String text) throws SqlmlParseException {
    if (text.length() > LONG && Thread.currentThread().isInterrupted()) {
      String message = "[SQLML_CANCELLED] The statement was cancelled.";
      throw new SqlmlParseException(new Failure("SQLML_CANCELLED", "57014", message, null, null));
    }
  }

  private static Object[] with(String text, Object[] arguments) {
    if (arguments[0] == text) {
      return arguments;
    }
    Object[] changed = arguments.clone();
    changed[0] = text;
    return changed;
  }

  private Object ask(Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(delegate, arguments);
    } catch (InvocationTargetException e) {
      Throwable cause = e.getCause();
      if (cause instanceof SparkThrowable known && mustBeDeclared(cause, method)) {
        throw SqlmlParseException.of(known, cause);
      }
      throw cause;
    }
  }

  /** Whether a proxy would turn the exception into an UndeclaredThrowableException, which tells a client nothing. */
  private static boolean mustBeDeclared(Throwable cause, Method method) {
    if (cause instanceof RuntimeException || cause instanceof Error) {
      return false;
    }
    for (Class<?> declared : method.getExceptionTypes()) {
      if (declared.isInstance(cause)) {
        return false;
      }
    }
    return true;
  }
}
