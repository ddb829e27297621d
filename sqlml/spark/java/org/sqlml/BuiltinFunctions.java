package org.sqlml;

import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.sqlml.common.SparkVersion;
import scala.Function1;
import scala.collection.immutable.Seq;

/**
 * The registry of built-in functions on Spark 4.0 and 4.1. These versions take every function that is not in it for a
 * temporary one, and refuse it in a persistent view or an SQL function; Spark 4.2 and later know the functions of an
 * extension.
 *
 * <p>The registry belongs to the JVM and not to a session, so a builder in it must hold no session. Sessions without
 * the extension in the same JVM see the functions too.
 */
final class BuiltinFunctions {
  private BuiltinFunctions() {}

  /** Adds a function where this Spark needs it. Adding the same objects again changes nothing. */
  static void add(FunctionIdentifier name, ExpressionInfo info, Function1<Seq<Expression>, Expression> builder) {
    if (SparkVersion.isBefore(4, 2)) {
      FunctionRegistry$.MODULE$.builtin().registerFunction(name, info, builder);
    }
  }
}
