package org.sqlml.optimizer;

import org.apache.spark.SparkUnsupportedOperationException;
import org.apache.spark.sql.execution.ColumnarToRowExec;
import org.apache.spark.sql.execution.RowToColumnConverter;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.python.ArrowEvalPythonExec;
import org.sqlml.common.Seqs;

/**
 * Physical rule: inserts a transition from columns to rows. Where Python scores the columnar batches of a scan, Spark
 * copies all columns that the scan reads, and fails for types that its copy does not know, such as STRING COLLATE
 * UTF8_LCASE: there Python gets rows.
 *
 * <pre>
 * ArrowEvalPython              ArrowEvalPython
 * +- FileScan parquet    →     +- ColumnarToRow
 *                                 +- FileScan parquet
 * </pre>
 *
 * <p>injectColumnar: the hook that is made for transitions. It runs before Spark inserts its own.
 */
public final class InsertColumnarToRow {
  private InsertColumnarToRow() {}

  public static SparkPlan apply(SparkPlan node) {
    if (node instanceof ArrowEvalPythonExec scoring && scoring.supportsColumnar() && !canCopy(scoring.child())) {
      return (SparkPlan) scoring.withNewChildren(Seqs.of(java.util.List.of(new ColumnarToRowExec(scoring.child()))));
    }
    return null;
  }

  private static boolean canCopy(SparkPlan child) {
    try {
      new RowToColumnConverter(child.schema());
      return true;
    } catch (SparkUnsupportedOperationException e) {
      return false;
    }
  }
}
