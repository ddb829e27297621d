package org.sqlml.predict;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.StringTrimRight;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.types.DataTypes;
import org.sqlml.common.Json;
import org.sqlml.common.Plans;
import org.sqlml.expressions.CanonicalText;
import org.sqlml.expressions.KnownSpellings;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The equality of texts in a column, by collation and padding. A model compares bytes, so equal texts are replaced by
 * one canonical text before they reach it: in training and in scoring, whatever the engine. Public, because Python
 * makes them.
 */
public final class TextEquality {
  private final boolean padded;
  private final KnownSpellings spellings;

  private TextEquality(boolean padded, KnownSpellings spellings) {
    this.padded = padded;
    this.spellings = spellings;
  }

  /**
   * @param padded whether trailing blanks are no part of a text, as in a column of type CHAR
   * @param collation its name; null compares bytes
   * @param texts as a list in JSON, one spelling of each text that has to be recognized
   */
  public static TextEquality of(boolean padded, String collation, String texts) {
    List<String> spellings = new ArrayList<>();
    Json.read(texts).forEach(text -> spellings.add(text.asText()));
    return new TextEquality(padded, collation == null ? null : KnownSpellings.of(collation, spellings));
  }

  /** A text as a STRING that is equal, byte by byte, wherever the column's type says that two texts are. */
  Expression over(Expression text) {
    Expression plain =
        text.dataType().equals(DataTypes.StringType)
            ? text
            : Cast$.MODULE$.apply(text, DataTypes.StringType, false);
    Expression trimmed = padded ? new StringTrimRight(plain) : plain;
    return spellings == null ? trimmed : new CanonicalText(spellings, trimmed);
  }

  /**
   * The rows of a query with texts that are compared by their bytes.
   *
   * @param columns one for each of the query's, null for what stays as it is
   */
  public static Dataset<Row> apply(Dataset<Row> frame, List<TextEquality> columns) {
    var rows = (org.apache.spark.sql.classic.Dataset<Row>) frame;
    LogicalPlan plan = rows.queryExecution().analyzed();
    List<Attribute> output = CollectionConverters.asJava(plan.output());
    List<NamedExpression> list = new ArrayList<>();
    for (int i = 0; i < output.size(); i++) {
      Attribute column = output.get(i);
      TextEquality texts = columns.get(i);
      ExprId id = NamedExpression$.MODULE$.newExprId();
      list.add(texts == null ? column : Plans.alias(texts.over(column), column.name(), id));
    }
    return org.apache.spark.sql.classic.Dataset.ofRows(rows.sparkSession(), Plans.project(list, plan));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TextEquality texts
        && texts.padded == padded
        && Objects.equals(texts.spellings, spellings);
  }

  @Override
  public int hashCode() {
    return Objects.hash(padded, spellings);
  }
}
