package org.sqlml.common;

import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connect.service.ExecuteInfo;
import org.apache.spark.sql.connect.service.SparkConnectService$;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.util.Either;

/**
 * The client of one statement on a Spark Connect server. Spark goes on with what a client ran for minutes after the
 * client is gone, in case it comes back; a training that nobody waits for should not.
 */
public final class ConnectClient {
  private static final String TAG_PREFIX = "SparkConnect_OperationTag";
  // The tag is the prefix, then _User_…_Session_…_Operation_…, and neither of the last two can hold the words again.
  private static final String USER = "_User_";
  private static final String SESSION = "_Session_";
  private static final long GONE_NANOS = 5_000_000_000L;

  private final SparkContext context;
  private final String tag;

  private ConnectClient(SparkContext context, String tag) {
    this.context = context;
    this.tag = tag;
  }

  /** The client of the statement that runs on this thread, or null when it came by another door. */
  public static ConnectClient ofThisThread(SparkSession session) {
    SparkContext context = session.sparkContext();
    for (String tag : CollectionConverters.asJava(context.getJobTags())) {
      if (tag.startsWith(TAG_PREFIX)) {
        return new ConnectClient(context, tag);
      }
    }
    return null;
  }

  /** The name that the client gave itself. */
  String user() {
    int start = tag.indexOf(USER) + USER.length();
    int end = tag.lastIndexOf(SESSION);
    return start >= USER.length() && end >= start ? tag.substring(start, end) : "";
  }

  /** Whether nobody has asked for the statement's result for some seconds. A client that waits asks all the time. */
  public boolean isGone() {
    Either<Object, Seq<ExecuteInfo>> executions = SparkConnectService$.MODULE$.listActiveExecutions();
    if (executions.isLeft()) {
      return true;
    }
    for (ExecuteInfo execution : CollectionConverters.asJava(executions.toOption().get())) {
      if (execution.jobTag().equals(tag)) {
        return execution.lastAttachedRpcTimeNs().isDefined()
            && System.nanoTime() - (Long) execution.lastAttachedRpcTimeNs().get() > GONE_NANOS;
      }
    }
    return true;
  }

  /** Ends the Spark jobs that the statement is running. */
  public void cancelJobs() {
    context.cancelJobsWithTag(tag);
  }
}
