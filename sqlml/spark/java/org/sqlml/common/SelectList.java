package org.sqlml.common;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.OneRowRelation;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.classic.Dataset;
import scala.jdk.javaapi.CollectionConverters;

/** A select list of the user's, parsed once: unresolved expressions, which become columns over one relation or another. */
public final class SelectList {
  private final String text;
  private final Project list;

  private SelectList(String text, Project list) {
    this.text = text;
    this.list = list;
  }

  /**
   * Null where the text is anything else.
   *
   * @param text `SELECT list`, blank before, so that offsets in it are offsets in the user's text
   */
  public static SelectList parse(SparkSession session, String text) {
    try {
      LogicalPlan plan =
          ((org.apache.spark.sql.classic.SparkSession) session).sessionState().sqlParser().parsePlan(text);
      return plan instanceof Project project && project.child() instanceof OneRowRelation
          ? new SelectList(text, project)
          : null;
    } catch (ParseException e) {
      throw SneakyThrow.of(e);
    }
  }

  public String text() {
    return text;
  }

  /** The list's columns over a relation, unresolved. It keeps the list's place in the text, for Spark's errors. */
  public LogicalPlan over(LogicalPlan relation) {
    return Plans.withChild(list, relation);
  }

  /** The rows of a DataFrame with the list's columns, and with others of its own unchanged. */
  public Dataset<Row> select(Dataset<Row> frame, List<String> unchanged) {
    List<NamedExpression> all = new ArrayList<>(CollectionConverters.asJava(list.projectList()));
    unchanged.forEach(name -> all.add(new UnresolvedAttribute(Seqs.of(List.of(name)))));
    LogicalPlan relation = frame.queryExecution().analyzed();
    return Dataset.ofRows(frame.sparkSession(), unchanged.isEmpty() ? over(relation) : Plans.project(all, relation));
  }
}
