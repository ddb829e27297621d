package org.sqlml.common;

import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.CurrentUserContext;

/** The user whose statement runs on this thread, as Spark knows it. Authentication is the server's business. */
public final class CurrentUser {
  private static final String UNKNOWN = "";

  private CurrentUser() {}

  /** The user of a Thrift session or of a Connect client; elsewhere, of the process. */
  public static String of(SparkSession session) {
    ConnectClient client = ConnectClient.ofThisThread(session);
    if (client != null) {
      return client.user();
    }
    String user = CurrentUserContext.getCurrentUserOrEmpty();
    if (user.isEmpty() && Thread.currentThread().getName().startsWith("grpc-")) {
      // A Connect client that has a plan analysed without running it: Spark does not say whose, and it is not the
      // server's own user.
      return UNKNOWN;
    }
    return user.isEmpty() ? CurrentUserContext.getCurrentUser() : user;
  }
}
