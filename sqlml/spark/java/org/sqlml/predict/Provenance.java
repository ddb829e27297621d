package org.sqlml.predict;

import java.util.List;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.CurrentTimestamp;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal$;
import scala.jdk.javaapi.CollectionConverters;

/** A PREDICT_PROVENANCE call that Python has resolved: the version of a model that scores in this query. */
public record Provenance(String model, int version, String digest) {
  static final String FUNCTION = "predict_provenance";

  /** STRUCT<model STRING, version INT, digest STRING, scored_at TIMESTAMP>; the moment is that of the query. */
  Expression expression() {
    List<Expression> members =
        List.of(
            literal("model"),
            literal(model),
            literal("version"),
            literal(version),
            literal("digest"),
            literal(digest),
            literal("scored_at"),
            new CurrentTimestamp());
    return new CreateNamedStruct(CollectionConverters.asScala(members).toSeq());
  }

  private static Expression literal(Object value) {
    return Literal$.MODULE$.apply(value);
  }
}
