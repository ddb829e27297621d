package org.sqlml.python;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkConf;
import org.apache.spark.api.python.Py4JServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlml.common.Failure;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.SqlmlParseException;
import py4j.Py4JException;
import py4j.Py4JNetworkException;

/**
 * The Python process that a JVM starts for itself: sqlml/spark/bridge_process.py. Its standard input is a pipe to which
 * nothing is written. It ends when the pipe is closed, so it cannot outlive this JVM, however that ends.
 */
final class PythonProcess {
  private static final Logger LOG = LoggerFactory.getLogger("org.sqlml.python");
  private static final long START_SECONDS = 60;
  private static final int LAST_LINES = 20;

  private static final Map<String, CompletableFuture<Handler>> EXPECTED = new ConcurrentHashMap<>();

  private final String interpreter;
  private final Process process;
  private final Py4JServer server;
  private final Deque<String> lastLines = new ArrayDeque<>();
  private final Thread reader;
  private Handler handler;
  private volatile boolean broken;

  private PythonProcess(String interpreter, Process process, Py4JServer server) {
    this.interpreter = interpreter;
    this.process = process;
    this.server = server;
    this.reader = new Thread(this::readOutput, "sqlml-python-output");
    reader.setDaemon(true);
    reader.start();
  }

  /** Starts the process and waits until it answers. */
  static PythonProcess start(SparkConf conf) {
    String interpreter = interpreter(conf);
    String token = UUID.randomUUID().toString();
    CompletableFuture<Handler> registration = new CompletableFuture<>();
    EXPECTED.put(token, registration);
    Py4JServer server = new Py4JServer(conf);
    server.start();
    try {
      // -P: a random.py in this JVM's working directory must not shadow the standard library's.
      ProcessBuilder builder =
          new ProcessBuilder(interpreter, "-P", "-m", "sqlml.spark.bridge_process").redirectErrorStream(true);
      Map<String, String> environment = builder.environment();
      environment.put("PYSPARK_GATEWAY_PORT", Integer.toString(server.getListeningPort()));
      environment.put("PYSPARK_GATEWAY_SECRET", server.secret());
      environment.put("SQLML_BRIDGE_TOKEN", token);
      environment.put("PYTHONUNBUFFERED", "1");
      if (conf.contains("spark.pyspark.python")) {
        environment.put("PYSPARK_PYTHON", conf.get("spark.pyspark.python"));
      }
      PythonProcess started = new PythonProcess(interpreter, builder.start(), server);
      started.await(registration);
      return started;
    } catch (IOException e) {
      server.shutdown();
      throw SneakyThrow.of(engineFailed("Python could not be started with " + interpreter + ": " + e.getMessage(), e));
    } finally {
      EXPECTED.remove(token);
    }
  }

  static void registered(Handler handler, String token) {
    CompletableFuture<Handler> registration = EXPECTED.get(token);
    if (registration != null) {
      registration.complete(handler);
    }
  }

  Handler handler() {
    return handler;
  }

  boolean isUsable() {
    return process.isAlive() && !broken;
  }

  void close() {
    process.destroyForcibly();
    server.shutdown();
  }

  /** Whether a failed call means that the process is gone; if so, it gets no further calls. */
  boolean isLost(Py4JException failed) {
    try {
      // The end of a connection is seen a moment before the end of the process.
      broken |= failed instanceof Py4JNetworkException || process.waitFor(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return broken;
  }

  /** The error for the client when a call failed. */
  Exception failure(String happened, Throwable cause) {
    return engineFailed("The Python process " + happened + " (" + interpreter + ")." + output(), cause);
  }

  private void await(CompletableFuture<Handler> registration) {
    process.onExit().thenRun(() -> registration.completeExceptionally(new IOException("it ended")));
    String happened;
    Throwable cause;
    try {
      handler = registration.get(START_SECONDS, TimeUnit.SECONDS);
      return;
    } catch (ExecutionException e) {
      happened = "ended with code " + process.exitValue() + " before it was ready";
      cause = e.getCause();
    } catch (TimeoutException e) {
      happened = "was not ready within " + START_SECONDS + " s";
      cause = e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      happened = "was still starting when the statement was cancelled";
      cause = e;
    }
    // Made before `close` ends the output, so that it contains the last lines.
    Exception failed = failure(happened, cause);
    close();
    throw SneakyThrow.of(failed);
  }

  private static Exception engineFailed(String message, Throwable cause) {
    String condition = "SQLML_ENGINE_FAILED";
    LOG.error(message, cause);
    // A parse exception, because a parser may throw no other; clients tell errors apart by the condition.
    return new SqlmlParseException(
        new Failure(condition, "58000", "[" + condition + "] " + message, null, null), cause);
  }

  /** Everything the process prints goes to this JVM's log; standard output belongs to the shell's results. */
  private void readOutput() {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        LOG.info(line);
        synchronized (lastLines) {
          lastLines.addLast(line);
          if (lastLines.size() > LAST_LINES) {
            lastLines.removeFirst();
          }
        }
      }
    } catch (IOException e) {
      LOG.info("The output of Python ended: {}", e.getMessage());
    }
  }

  private String output() {
    try {
      reader.join(1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (lastLines) {
      return lastLines.isEmpty() ? "" : " Its last words:\n" + String.join("\n", lastLines);
    }
  }

  private static String interpreter(SparkConf conf) {
    for (String key : new String[] {"spark.sqlml.python", "spark.pyspark.driver.python", "spark.pyspark.python"}) {
      if (conf.contains(key) && !conf.get(key).isBlank()) {
        return conf.get(key);
      }
    }
    for (String name : new String[] {"PYSPARK_DRIVER_PYTHON", "PYSPARK_PYTHON"}) {
      String value = System.getenv(name);
      // PYSPARK_DRIVER_PYTHON may name a notebook (`jupyter`), which cannot run a module: names must begin with `py`.
      if (value != null && !value.isBlank() && new File(value).getName().startsWith("py")) {
        return value;
      }
    }
    return "python3";
  }
}
