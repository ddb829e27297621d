package org.sqlml.python;

import java.util.function.Function;
import org.apache.spark.sql.SparkSession;
import org.sqlml.common.SneakyThrow;
import py4j.Py4JException;

/**
 * Finds the Python that answers. In a PySpark application it is the application's own process, which registers itself;
 * anywhere else this JVM starts one when it is first needed, and again after it has died.
 */
public final class Bridge {
  private static Handler applications;
  private static PythonProcess process;

  private Bridge() {}

  /** The version of the jar that this class is in, and where the jar is; called by Python, which is of one version too. */
  public static String[] versionAndPlace() {
    return new String[] {
      Bridge.class.getPackage().getImplementationVersion(),
      Bridge.class.getProtectionDomain().getCodeSource().getLocation().getPath()
    };
  }

  /** Called by a PySpark application: its own Python answers, and no other is started. */
  public static synchronized void register(Handler handler) {
    applications = handler;
  }

  /** Called by the process that this JVM started, with the word it was given. */
  public static void register(Handler handler, String token) {
    PythonProcess.registered(handler, token);
  }

  /** Asks a question that changes nothing; asks it again of a new process when the old one dies over it. */
  public static Object ask(SparkSession session, Function<Handler, Object> question) {
    return attempt(session, question, true);
  }

  /** Has something done, which is not repeated when the process dies over it. */
  public static Object order(SparkSession session, Function<Handler, Object> question) {
    return attempt(session, question, false);
  }

  private static Object attempt(SparkSession session, Function<Handler, Object> question, boolean repeatable) {
    Handler own = application();
    if (own != null) {
      return ObjectReplies.taken(question.apply(own));
    }
    PythonProcess child = running(session);
    try {
      return ObjectReplies.taken(question.apply(child.handler()));
    } catch (Py4JException e) {
      if (child.isLost(e) && repeatable) {
        return attempt(session, question, false);
      }
      throw SneakyThrow.of(child.failure("ended during a call", e));
    }
  }

  private static synchronized Handler application() {
    return applications;
  }

  private static synchronized PythonProcess running(SparkSession session) {
    if (process == null || !process.isUsable()) {
      if (process != null) {
        process.close();
      }
      process = null;
      process = PythonProcess.start(session.sparkContext().conf());
    }
    return process;
  }
}
