package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.BoundReference;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.InterpretedPredicate;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.Predicate$;
import org.apache.spark.sql.execution.datasources.FileIndex;
import org.apache.spark.sql.execution.datasources.FileStatusWithMetadata;
import org.apache.spark.sql.execution.datasources.PartitionDirectory;
import org.apache.spark.sql.types.StructType;
import org.sqlml.common.Seqs;
import org.sqlml.common.TreeTransform;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A snapshot of a table's files: an index that never refreshes. An INSERT refreshes the index of a table in every query
 * that holds it, also in one that was planned and has not begun; a model that was pruned for the old files must not
 * meet new ones.
 */
final class SnapshotFileIndex implements FileIndex {
  private final Seq<Path> rootPaths;
  private final StructType partitionSchema;
  private final long size;
  private final Option<Object> listingTime;
  private final List<PartitionDirectory> directories;

  SnapshotFileIndex(FileIndex index) {
    rootPaths = index.rootPaths();
    partitionSchema = index.partitionSchema();
    size = index.sizeInBytes();
    listingTime = index.metadataOpsTimeNs();
    directories = List.copyOf(CollectionConverters.asJava(index.listFiles(Seqs.empty(), Seqs.empty())));
  }

  @Override
  public Seq<Path> rootPaths() {
    return rootPaths;
  }

  /** The directories whose partition passes; filters over other columns are left to the scan. */
  @Override
  public Seq<PartitionDirectory> listFiles(Seq<Expression> partitionFilters, Seq<Expression> dataFilters) {
    List<String> names = List.of(partitionSchema.fieldNames());
    List<Expression> bound = new ArrayList<>();
    for (Expression filter : CollectionConverters.asJava(partitionFilters)) {
      List<String> read =
          CollectionConverters.asJava(filter.references().toSeq()).stream().map(NamedExpression::name).toList();
      if (names.containsAll(read)) {
        bound.add(bound(filter, names));
      }
    }
    if (bound.isEmpty()) {
      return Seqs.of(directories);
    }
    InterpretedPredicate passes = Predicate$.MODULE$.createInterpreted(bound.stream().reduce(And::new).orElseThrow());
    return Seqs.of(directories.stream().filter(directory -> passes.eval(directory.values())).toList());
  }

  private Expression bound(Expression filter, List<String> names) {
    return filter.transform(
        TreeTransform.by(node -> node instanceof AttributeReference column ? bound(names.indexOf(column.name())) : null));
  }

  private Expression bound(int ordinal) {
    return new BoundReference(ordinal, partitionSchema.fields()[ordinal].dataType(), true);
  }

  private Stream<FileStatusWithMetadata> files() {
    return directories.stream().flatMap(directory -> CollectionConverters.asJava(directory.files()).stream());
  }

  @Override
  public String[] inputFiles() {
    return files().map(file -> file.getPath().toUri().toString()).toArray(String[]::new);
  }

  /** Never again: see the class. */
  @Override
  public void refresh() {}

  @Override
  public long sizeInBytes() {
    return size;
  }

  @Override
  public StructType partitionSchema() {
    return partitionSchema;
  }

  @Override
  public Option<Object> metadataOpsTimeNs() {
    return listingTime;
  }

  /** Two scans of the same files are one, where Spark finds that they read the same of them. */
  @Override
  public boolean equals(Object other) {
    return other instanceof SnapshotFileIndex listed
        && rootPaths.equals(listed.rootPaths)
        && partitionSchema.equals(listed.partitionSchema)
        && versions().equals(listed.versions());
  }

  @Override
  public int hashCode() {
    return rootPaths.hashCode();
  }

  private List<String> versions() {
    return files().map(file -> file.getPath() + "\t" + file.getLen() + "\t" + file.getModificationTime()).toList();
  }
}
