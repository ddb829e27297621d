package org.sqlml;

import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One run of a statement: what Python can ask of the client while it works. */
public final class StatementCall implements AutoCloseable {
  /** Hive's logger for news to the user: a Thrift server copies what it gets to the operation's own log. */
  private static final Logger CLIENT_LOG = LoggerFactory.getLogger("SessionState");

  private static final boolean IN_SHELL =
      System.getProperty("sun.java.command", "").contains("SparkSQLCLIDriver");

  private static final long WATCH_MILLIS = 1_000;

  private final Thread thread = Thread.currentThread();
  private final Thread watch;
  private volatile boolean seenCancelled;

  /** Must be made on the statement's own thread. */
  StatementCall(SparkSession session) {
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
          // Again and again: a training may be between two jobs.
          client.cancelJobs();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
