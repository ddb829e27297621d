package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.SubqueryExpression$;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.datasources.FileIndex;
import org.apache.spark.sql.execution.datasources.FileStatusWithMetadata;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.InMemoryFileIndex;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.PartitionDirectory;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlml.common.Failure;
import org.sqlml.common.Seqs;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.SqlmlAnalysisException;
import org.sqlml.common.TreeTransform;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Value domains of columns from metadata of files: the values of partition columns, and the statistics in footers of
 * Parquet files. Remembers which tables' files were relied on, so that the plan can be tied to them.
 */
final class FileDomains {
  private static final Logger LOG = LoggerFactory.getLogger("org.sqlml.optimizer.FileDomains");
  private static final String MOST_FILES = "spark.sqlml.fileStatistics.maxFiles";
  private static final String MOST_FILES_DEFAULT = "0";
  private static final String FIELD_IDS = "spark.sql.parquet.fieldId.read.enabled";

  /** A column that is one of more values is only known by the least and the greatest of them. */
  private static final int MOST_VALUES = 100;

  private final Map<FileIndex, SnapshotFileIndex> listed = new IdentityHashMap<>();
  private final Set<FileIndex> consulted = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<FileIndex> relied = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean statistics;

  /** Before what is known is used for something, and whether that is worth a look into the files. */
  void begin(boolean intoFiles) {
    consulted.clear();
    statistics = intoFiles;
  }

  /** Whether what was known has been of use. */
  void end(boolean used) {
    if (used) {
      relied.addAll(consulted);
    }
  }

  /**
   * The domains of some columns of a table, in the rows that pass a filter.
   *
   * @param conditions the filter's; those over partitions leave out files
   */
  Map<Expression, ValueDomain> of(LogicalRelation relation, List<Expression> conditions, Set<ExprId> columns) {
    List<AttributeReference> output = CollectionConverters.asJava(relation.output());
    // Other indexes of files, such as Delta's, have other rules for who is in; what a stream will read is not known.
    if (relation.isStreaming()
        || !(relation.relation() instanceof HadoopFsRelation files)
        || files.location().getClass() != InMemoryFileIndex.class
        || output.size() != files.schema().size()) {
      return Map.of();
    }
    StructType partitioned = files.partitionSchema();
    boolean intoFiles = statistics && areReadable(files);
    List<AttributeReference> wanted =
        output.stream()
            .filter(column -> columns.contains(column.exprId()) && ColumnDomains.plain(column.dataType()))
            .filter(column -> intoFiles || index(column, partitioned) >= 0)
            .toList();
    if (wanted.isEmpty()) {
      return Map.of();
    }
    SnapshotFileIndex all = listed.computeIfAbsent(files.location(), SnapshotFileIndex::new);
    List<PartitionDirectory> read = read(all, conditions, partitions(output, partitioned));
    List<ParquetStatistics> footers =
        wanted.stream().allMatch(column -> index(column, partitioned) >= 0) ? List.of() : footers(files, read);
    Map<Expression, ValueDomain> found = new HashMap<>();
    for (AttributeReference column : wanted) {
      int index = index(column, partitioned);
      ValueDomain domain =
          index >= 0
              ? partitions(read, index, partitioned.fields()[index].dataType())
              : statistics(footers, files.dataSchema(), column);
      if (domain != null && !domain.equals(ValueDomain.ANYTHING)) {
        found.put(column.canonicalized(), domain);
      }
    }
    if (!found.isEmpty()) {
      consulted.add(files.location());
    }
    return found;
  }

  /** A plan that reads no other files than those that were relied on. */
  LogicalPlan kept(LogicalPlan plan) {
    if (relied.isEmpty()) {
      return plan;
    }
    return plan.transformUp(
        TreeTransform.by(
            node ->
                node instanceof LogicalRelation relation
                        && relation.relation() instanceof HadoopFsRelation files
                        && relied.contains(files.location())
                    ? listed(relation, files)
                    : null));
  }

  private LogicalPlan listed(LogicalRelation relation, HadoopFsRelation files) {
    HadoopFsRelation same =
        new HadoopFsRelation(
            listed.get(files.location()),
            files.partitionSchema(),
            files.dataSchema(),
            files.bucketSpec(),
            files.fileFormat(),
            files.options(),
            files.sparkSession());
    Object[] parts = CollectionConverters.asJava(relation.productIterator().toSeq()).toArray();
    parts[0] = same;
    return relation.makeCopy(parts);
  }

  // -- partitions ------------------------------------------------------------------------------------------------------

  private static int index(AttributeReference column, StructType schema) {
    StructField[] fields = schema.fields();
    for (int i = 0; i < fields.length; i++) {
      if ((boolean) SQLConf.get().resolver().apply(fields[i].name(), column.name())) {
        return i;
      }
    }
    return -1;
  }

  /** The columns of partitions, under the names that the index of files has for them. */
  private static Map<ExprId, AttributeReference> partitions(List<AttributeReference> output, StructType schema) {
    Map<ExprId, AttributeReference> found = new HashMap<>();
    for (AttributeReference column : output) {
      int index = index(column, schema);
      if (index >= 0) {
        found.put(column.exprId(), column.withName(schema.fields()[index].name()));
      }
    }
    return found;
  }

  /** The directories that the query reads, and maybe more. */
  private static List<PartitionDirectory> read(
      SnapshotFileIndex all, List<Expression> conditions, Map<ExprId, AttributeReference> partitions) {
    List<Expression> over = new ArrayList<>();
    for (Expression condition : conditions) {
      List<? extends Expression> columns = CollectionConverters.asJava(condition.references().toSeq());
      if (!columns.isEmpty()
          && columns.stream().allMatch(one -> partitions.containsKey(((AttributeReference) one).exprId()))
          && condition.deterministic()
          && !PredictCalls.contains(condition)
          && !SubqueryExpression$.MODULE$.hasSubquery(condition)) {
        over.add(named(condition, partitions));
      }
    }
    try {
      return CollectionConverters.asJava(all.listFiles(Seqs.of(over), Seqs.empty()));
    } catch (Exception e) {
      // Such as a cast that fails: who reads the rows will say so.
      LOG.debug("Partitions are not filtered by {}", over, e);
      return CollectionConverters.asJava(all.listFiles(Seqs.empty(), Seqs.empty()));
    }
  }

  private static Expression named(Expression condition, Map<ExprId, AttributeReference> partitions) {
    return condition.transform(
        TreeTransform.by(node -> node instanceof AttributeReference column ? partitions.get(column.exprId()) : null));
  }

  /** One of the values of directories with files; null where there are none. */
  private static ValueDomain partitions(List<PartitionDirectory> read, int index, DataType type) {
    ValueDomain found = null;
    for (PartitionDirectory directory : read) {
      if (!directory.files().isEmpty()) {
        InternalRow values = directory.values();
        Object value = values.isNullAt(index) ? null : values.get(index, type);
        found = either(found, ValueDomain.of(value, type));
      }
    }
    return found;
  }

  private static ValueDomain either(ValueDomain before, ValueDomain one) {
    ValueDomain found = before == null ? one : before.union(one);
    return found.values() != null && found.values().size() > MOST_VALUES ? found.withValues(null) : found;
  }

  // -- statistics ------------------------------------------------------------------------------------------------------

  /** Whether the files are Spark's own Parquet, with columns by name, and may be looked into. */
  private static boolean areReadable(HadoopFsRelation files) {
    return files.fileFormat().getClass() == ParquetFileFormat.class
        && !Boolean.parseBoolean(SQLConf.get().getConfString(FIELD_IDS, "false"))
        && mostFiles() > 0;
  }

  /** The statistics of all files; none where there are too many files, or one without statistics. */
  private static List<ParquetStatistics> footers(HadoopFsRelation files, List<PartitionDirectory> read) {
    List<FileStatus> statuses = new ArrayList<>();
    for (PartitionDirectory directory : read) {
      for (FileStatusWithMetadata file : CollectionConverters.asJava(directory.files())) {
        statuses.add(file.fileStatus());
      }
    }
    if (statuses.size() > mostFiles()) {
      return List.of();
    }
    SparkSession session = (SparkSession) files.sparkSession();
    Configuration conf = session.sessionState().newHadoopConfWithOptions(files.options());
    List<ParquetStatistics> found = new ArrayList<>();
    for (FileStatus file : statuses) {
      ParquetStatistics one = ParquetStatistics.of(file, conf);
      if (one == null) {
        return List.of();
      }
      found.add(one);
    }
    return found;
  }

  private static int mostFiles() {
    String text = SQLConf.get().getConfString(MOST_FILES, MOST_FILES_DEFAULT).strip();
    if (text.isEmpty()) {
      text = MOST_FILES_DEFAULT;
    }
    if (!text.matches("\\d{1,9}")) {
      String message = "[SQLML_OPTION_INVALID] The setting " + MOST_FILES + " must be a number of files, not '" + text + "'.";
      throw SneakyThrow.of(new SqlmlAnalysisException(new Failure("SQLML_OPTION_INVALID", "22023", message, null, null)));
    }
    return Integer.parseInt(text);
  }

  /** The domain of a column in all rows; null where there are none, or nothing is known. */
  private static ValueDomain statistics(List<ParquetStatistics> footers, StructType schema, AttributeReference column) {
    int index = index(column, schema);
    if (footers.isEmpty() || index < 0) {
      return null;
    }
    StructField field = schema.fields()[index];
    if (!field.dataType().equals(column.dataType())) {
      return null;
    }
    ValueDomain found = null;
    for (ParquetStatistics one : footers) {
      ValueDomain domain = one.domain(field, SQLConf.get().caseSensitiveAnalysis());
      found = domain == null ? found : either(found, domain);
    }
    return found;
  }
}
