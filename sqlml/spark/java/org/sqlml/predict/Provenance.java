package org.sqlml.predict;

import java.time.Instant;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.CurrentTimestamp;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal$;
import org.apache.spark.sql.types.DataTypes;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A PREDICT_PROVENANCE call that Python has resolved: the version of a model that scores in this query.
 *
 * @param lastKnownAt when the registry said that it is this version, in ISO-8601, if the registry did not answer now;
 *     otherwise null
 */
public record Provenance(String model, int version, String digest, String lastKnownAt) {
  static final String FUNCTION = "predict_provenance";

  /** The same with the moment of the call that has chosen the version for the whole query. */
  Provenance lastKnownAt(String moment) {
    return new Provenance(model, version, digest, moment);
  }

  /**
   * STRUCT<model STRING, version INT, digest STRING, scored_at TIMESTAMP, last_known_at TIMESTAMP>; scored_at is the
   * time of the query.
   */
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
            new CurrentTimestamp(),
            literal("last_known_at"),
            Literal$.MODULE$.create(lastKnownAt == null ? null : Instant.parse(lastKnownAt), DataTypes.TimestampType));
    return new CreateNamedStruct(CollectionConverters.asScala(members).toSeq());
  }

  private static Expression literal(Object value) {
    return Literal$.MODULE$.apply(value);
  }
}
