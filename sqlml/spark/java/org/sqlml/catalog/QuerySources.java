package org.sqlml.catalog;

import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.catalog.CatalogTable;
import org.apache.spark.sql.catalyst.catalog.HiveTableRelation;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.PythonUDF;
import org.apache.spark.sql.catalyst.plans.logical.CTERelationRef;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.OneRowRelation;
import org.apache.spark.sql.catalyst.plans.logical.View;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.datasources.CatalogFileIndex;
import org.apache.spark.sql.execution.datasources.FileIndex;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.PartitioningAwareFileIndex;
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation;
import org.apache.spark.sql.execution.datasources.v2.FileTable;
import org.sqlml.common.Json;
import org.sqlml.expressions.CompiledModel;
import scala.collection.immutable.Nil$;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The lineage of a query, as Spark has resolved it: base tables, files, rows that stand in the query, other models.
 */
public final class QuerySources {
  private static final Pattern MODEL = Pattern.compile("(?:predict\\w*)?\\[(\\S+) \\w+[^]]*\\]");
  private static final Pattern ICEBERG = Pattern.compile("^branch_.*_snapshot_(\\d+)$");
  private static final int MOST_PATHS = 20;

  private final Set<Map<String, Object>> found = new LinkedHashSet<>();
  private final QueryExecution query;
  private Map<String, Set<FileStatus>> partitions;

  private QuerySources(QueryExecution query) {
    this.query = query;
  }

  /**
   * The sources of a query as JSON, each once: [{"name", "kind", "format", "version", "files", "bytes", "digest",
   * "views"}, …]. See `sqlml.lineage.Source`.
   */
  public static String describe(Dataset<Row> frame) {
    QuerySources sources = new QuerySources(((org.apache.spark.sql.classic.Dataset<Row>) frame).queryExecution());
    sources.read(sources.query.analyzed(), List.of());
    return Json.write(sources.found);
  }

  private void read(LogicalPlan plan, List<View> views) {
    for (Expression expression : CollectionConverters.asJava(plan.expressions())) {
      models(expression);
    }
    for (Object subquery : CollectionConverters.asJava(plan.subqueries())) {
      read((LogicalPlan) subquery, views);
    }
    List<View> through = views;
    if (plan instanceof View view) {
      through = new ArrayList<>(views);
      through.add(view);
    }
    List<LogicalPlan> children = CollectionConverters.asJava(plan.children());
    for (LogicalPlan child : children) {
      read(child, through);
    }
    // A reference to a CTE is a leaf too, and what it refers to is elsewhere in the plan.
    if (children.isEmpty() && !(plan instanceof OneRowRelation) && !(plan instanceof CTERelationRef)) {
      Map<String, Object> source = source(plan, through);
      source.put("views", through.stream().map(view -> view.desc().identifier().unquotedString()).distinct().toList());
      found.add(source);
    }
  }

  private void models(Expression expression) {
    String shown =
        expression instanceof PythonUDF function
            ? function.name()
            : expression instanceof CompiledModel compiled ? compiled.shown() : "";
    Matcher named = MODEL.matcher(shown);
    if (named.matches()) {
      found.add(new LinkedHashMap<>(Map.of("name", named.group(1), "kind", "model", "views", List.of())));
    }
    for (Expression child : CollectionConverters.asJava(expression.children())) {
      models(child);
    }
  }

  private Map<String, Object> source(LogicalPlan leaf, List<View> views) {
    if (leaf instanceof LogicalRelation relation) {
      return relation(relation);
    }
    if (leaf instanceof HiveTableRelation hive) {
      return table(hive.tableMeta());
    }
    if (leaf instanceof DataSourceV2Relation relation) {
      return relation(relation);
    }
    Map<String, Object> source = new LinkedHashMap<>();
    if (views.isEmpty()) {
      source.put("name", leaf.simpleString(10).split("\n")[0].replaceAll("#\\d+L?", ""));
      source.put("kind", "rows");
    } else {
      // Rows without a name of their own are those of the view that they stand in.
      View view = views.get(views.size() - 1);
      source.put("name", view.desc().identifier().unquotedString());
      source.put("kind", view.isTempView() ? "temporary view" : "view");
    }
    return source;
  }

  private static Map<String, Object> table(CatalogTable table) {
    Map<String, Object> source = new LinkedHashMap<>();
    source.put("name", table.identifier().unquotedString());
    source.put("kind", "table");
    source.put("format", table.provider().isDefined() ? table.provider().get() : null);
    return source;
  }

  private Map<String, Object> relation(LogicalRelation relation) {
    Map<String, Object> source = new LinkedHashMap<>();
    if (relation.catalogTable().isDefined()) {
      source = table(relation.catalogTable().get());
    }
    if (!(relation.relation() instanceof HadoopFsRelation files)) {
      source.putIfAbsent("name", relation.relation().toString());
      source.putIfAbsent("kind", "relation");
      return source;
    }
    FileIndex location = files.location();
    source.putIfAbsent("name", paths(CollectionConverters.asJava(location.rootPaths())));
    source.putIfAbsent("kind", "files");
    source.putIfAbsent("format", files.fileFormat().toString().toLowerCase());
    // Delta's index of files knows the version of its snapshot.
    source.put("version", version(location));
    if (location instanceof CatalogFileIndex) {
      listed(source, partitions().getOrDefault((String) source.get("name"), Set.of()));
    } else if (location instanceof PartitioningAwareFileIndex index) {
      listed(source, CollectionConverters.asJava(index.allFiles()));
    }
    return source;
  }

  private static Map<String, Object> relation(DataSourceV2Relation relation) {
    Table table = relation.table();
    Map<String, Object> source = new LinkedHashMap<>();
    boolean named = relation.catalog().isDefined() && relation.identifier().isDefined();
    source.put("name", named ? relation.catalog().get().name() + "." + relation.identifier().get() : table.name());
    source.put("kind", named ? "table" : "relation");
    source.put("format", table.properties().get("provider"));
    source.put("version", version(table));
    if (table instanceof FileTable files) {
      source.put("name", named ? source.get("name") : paths(CollectionConverters.asJava(files.fileIndex().rootPaths())));
      source.put("kind", named ? "table" : "files");
      source.put("format", files.formatName().toLowerCase());
      listed(source, CollectionConverters.asJava(files.fileIndex().allFiles()));
    }
    return source;
  }

  /**
   * The version of a source that has versions: since Spark 4.1 a table says so by `version()`. Iceberg's has the branch in
   * front, of which only the snapshot is a version to travel to.
   */
  private static String version(Object source) {
    try {
      Method method = source.getClass().getMethod("version");
      method.setAccessible(true);
      Object version = method.invoke(source);
      return version == null ? null : ICEBERG.matcher(version.toString()).replaceFirst("$1");
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }

  /** The files of a catalog's partitioned tables that the query reads: only the optimizer knows the partitions. */
  private Map<String, Set<FileStatus>> partitions() {
    if (partitions == null) {
      partitions = new HashMap<>();
      pruned(query.optimizedPlan());
    }
    return partitions;
  }

  private void pruned(LogicalPlan plan) {
    if (plan instanceof LogicalRelation relation
        && relation.catalogTable().isDefined()
        && relation.relation() instanceof HadoopFsRelation files) {
      String name = relation.catalogTable().get().identifier().unquotedString();
      // Where no partition is left out, it is still the catalog's index. What is listed here is listed for the query.
      FileIndex read = files.location() instanceof CatalogFileIndex all ? all.filterPartitions(none()) : files.location();
      if (read instanceof PartitioningAwareFileIndex index) {
        partitions.computeIfAbsent(name, one -> new HashSet<>()).addAll(CollectionConverters.asJava(index.allFiles()));
      }
    }
    for (Object subquery : CollectionConverters.asJava(plan.subqueries())) {
      pruned((LogicalPlan) subquery);
    }
    for (LogicalPlan child : CollectionConverters.asJava(plan.children())) {
      pruned(child);
    }
  }

  @SuppressWarnings("unchecked")
  private static Seq<Expression> none() {
    return (Seq<Expression>) (Object) Nil$.MODULE$;
  }

  private static void listed(Map<String, Object> source, Collection<FileStatus> files) {
    long bytes = 0;
    Set<String> lines = new TreeSet<>();
    for (FileStatus file : files) {
      bytes += file.getLen();
      lines.add(file.getPath() + "\t" + file.getLen() + "\t" + file.getModificationTime());
    }
    source.put("files", lines.size());
    source.put("bytes", bytes);
    source.put("digest", digest(String.join("\n", lines)));
  }

  private static String paths(List<Path> paths) {
    // A URI may have a key in it.
    List<String> shown =
        paths.stream().limit(MOST_PATHS).map(path -> path.toString().replaceAll("//[^/@]*@", "//")).toList();
    return String.join(", ", shown) + (paths.size() > MOST_PATHS ? ", … (" + paths.size() + " paths)" : "");
  }

  private static String digest(String text) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
