package org.sqlml.optimizer;

import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.SeekableInputStream;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlml.common.SoftLruCache;

/**
 * The column statistics in the footer of a Parquet file: minimum, maximum, and whether there are NULLs. The
 * bounds do not cover NaN. A column whose values may change when read, by a type or calendar conversion, counts as
 * unknown.
 */
final class ParquetStatistics {
  private static final Logger LOG = LoggerFactory.getLogger("org.sqlml.optimizer.ParquetStatistics");

  /** The first date and timestamp that need no rebase from the hybrid Julian to the proleptic Gregorian calendar. */
  private static final long SAME_DAYS = LocalDate.of(1582, 10, 15).toEpochDay();

  private static final long SAME_MICROS = Instant.parse("1900-01-01T00:00:00Z").getEpochSecond() * 1_000_000;

  /** The types of Spark that Parquet writes as four and as eight bytes. */
  private static final Map<LogicalTypeAnnotation, DataType> INT32 =
      Map.of(
          LogicalTypeAnnotation.intType(8, true), DataTypes.ByteType,
          LogicalTypeAnnotation.intType(16, true), DataTypes.ShortType,
          LogicalTypeAnnotation.intType(32, true), DataTypes.IntegerType,
          LogicalTypeAnnotation.dateType(), DataTypes.DateType);

  private static final Map<LogicalTypeAnnotation, DataType> INT64 =
      Map.of(
          LogicalTypeAnnotation.intType(64, true), DataTypes.LongType,
          LogicalTypeAnnotation.timestampType(true, TimeUnit.MICROS), DataTypes.TimestampType,
          LogicalTypeAnnotation.timestampType(false, TimeUnit.MICROS), DataTypes.TimestampNTZType);

  /** The size of the cache, in files. */
  private static final int MOST_KEPT = 1_000;

  private static final SoftLruCache<Version, ParquetStatistics> KEPT = new SoftLruCache<>(MOST_KEPT);

  private record Version(String path, long time, long length) {
    static Version of(FileStatus file) {
      return new Version(file.getPath().toString(), file.getModificationTime(), file.getLen());
    }
  }

  /**
   * A column of a file.
   *
   * @param type as Spark has it; null where that is not certain
   */
  private record Column(String name, DataType type, ValueDomain domain) {}

  private final boolean empty;

  /** By their names in small letters. */
  private final Map<String, List<Column>> columns = new HashMap<>();

  private ParquetStatistics(ParquetMetadata footer) {
    List<BlockMetaData> groups = footer.getBlocks().stream().filter(group -> group.getRowCount() > 0).toList();
    empty = groups.isEmpty();
    List<Map<String, ColumnChunkMetaData>> chunks = groups.stream().map(ParquetStatistics::chunks).toList();
    for (Type field : footer.getFileMetaData().getSchema().getFields()) {
      DataType type = type(field);
      ValueDomain all = null;
      for (int i = 0; i < groups.size(); i++) {
        ValueDomain one = domain(chunks.get(i).get(field.getName()), groups.get(i).getRowCount(), type);
        all = all == null ? one : all.union(one);
      }
      columns
          .computeIfAbsent(field.getName().toLowerCase(Locale.ROOT), name -> new ArrayList<>())
          .add(new Column(field.getName(), type, all));
    }
  }

  /** Null where the file cannot be read, or is not the one that was listed any more. */
  static ParquetStatistics of(FileStatus listed, Configuration conf) {
    try {
      // Somebody may have written another file under the same name.
      FileStatus file = listed.getPath().getFileSystem(conf).getFileStatus(listed.getPath());
      Version version = Version.of(file);
      if (!version.equals(Version.of(listed))) {
        return null;
      }
      ParquetStatistics found = KEPT.get(version);
      if (found == null) {
        found = read(file, conf);
        KEPT.put(version, found);
      }
      return found;
    } catch (IOException | RuntimeException e) {
      // The scan of the file will report the error.
      LOG.debug("No statistics of {}", listed.getPath(), e);
      return null;
    }
  }

  private static ParquetStatistics read(FileStatus file, Configuration conf) throws IOException {
    HadoopInputFile input = HadoopInputFile.fromStatus(file, conf);
    try (SeekableInputStream stream = input.newStream()) {
      HadoopReadOptions options = (HadoopReadOptions) HadoopReadOptions.builder(conf, file.getPath()).build();
      ParquetMetadata footer = ParquetFileReader.readFooter(input, options, stream);
      if (footer.getFileMetaData().getFileDecryptor() != null) {
        // The cache would show its statistics to sessions without the keys.
        throw new IOException("It is encrypted.");
      }
      return new ParquetStatistics(footer);
    }
  }

  /**
   * The domain of a table's column in the rows of the file; null where it has no rows.
   *
   * @param caseSensitive whether names that differ only in case are different columns
   */
  ValueDomain domain(StructField wanted, boolean caseSensitive) {
    if (empty) {
      return null;
    }
    List<Column> named = columns.getOrDefault(wanted.name().toLowerCase(Locale.ROOT), List.of());
    if (caseSensitive) {
      named = named.stream().filter(column -> column.name().equals(wanted.name())).toList();
    }
    if (named.isEmpty()) {
      // The file is older than the column, which may have a default for such files.
      return wanted.metadata().contains("EXISTS_DEFAULT") ? ValueDomain.ANYTHING : ValueDomain.NULL;
    }
    boolean same = named.size() == 1 && wanted.dataType().equals(named.get(0).type());
    return same ? named.get(0).domain() : ValueDomain.ANYTHING;
  }

  private static Map<String, ColumnChunkMetaData> chunks(BlockMetaData group) {
    Map<String, ColumnChunkMetaData> found = new HashMap<>();
    for (ColumnChunkMetaData chunk : group.getColumns()) {
      String[] path = chunk.getPath().toArray();
      if (path.length == 1) {
        found.put(path[0], chunk);
      }
    }
    return found;
  }

  private static ValueDomain domain(ColumnChunkMetaData chunk, long rows, DataType type) {
    if (chunk == null || type == null || chunk.getStatistics() == null) {
      return ValueDomain.ANYTHING;
    }
    Statistics<?> statistics = chunk.getStatistics();
    if (statistics.isNumNullsSet() && statistics.getNumNulls() == rows) {
      return ValueDomain.NULL;
    }
    boolean nulls = !statistics.isNumNullsSet() || statistics.getNumNulls() > 0;
    boolean real = type.equals(DataTypes.DoubleType) || type.equals(DataTypes.FloatType);
    ValueDomain any = new ValueDomain(nulls, real, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, null);
    if (!statistics.hasNonNullValue()) {
      return any;
    }
    Object least = value(statistics.genericGetMin(), type);
    Object most = value(statistics.genericGetMax(), type);
    if (least == null || most == null) {
      return any;
    }
    if (least.equals(most) && !real) {
      return ValueDomain.of(least, type).orNull(nulls);
    }
    double low = ValueDomain.of(least, type).low();
    double high = ValueDomain.of(most, type).high();
    return low <= high ? new ValueDomain(nulls, real, low, high, null) : any;
  }

  /** A bound as Spark reads it; null where Spark may read another value, or where it is NaN or not a number. */
  private static Object value(Object written, DataType type) {
    if (written instanceof Integer number && type.equals(DataTypes.ByteType)) {
      return number == number.byteValue() ? (Object) number.byteValue() : null;
    }
    if (written instanceof Integer number && type.equals(DataTypes.ShortType)) {
      return number == number.shortValue() ? (Object) number.shortValue() : null;
    }
    boolean other =
        written instanceof Integer day && type.equals(DataTypes.DateType) && day < SAME_DAYS
            || written instanceof Long moment && type.equals(DataTypes.TimestampType) && moment < SAME_MICROS
            || written instanceof Double wide && wide.isNaN()
            || written instanceof Float narrow && narrow.isNaN();
    return other || ValueDomain.number(written) == null ? null : written;
  }

  /** The type of Spark's whose values are written just so; null where there is none. */
  private static DataType type(Type field) {
    if (!field.isPrimitive() || field.isRepetition(Type.Repetition.REPEATED)) {
      return null;
    }
    PrimitiveType column = field.asPrimitiveType();
    LogicalTypeAnnotation annotation = column.getLogicalTypeAnnotation();
    return switch (column.getPrimitiveTypeName()) {
      case BOOLEAN -> annotation == null ? DataTypes.BooleanType : null;
      case FLOAT -> annotation == null ? DataTypes.FloatType : null;
      case DOUBLE -> annotation == null ? DataTypes.DoubleType : null;
      case INT32 -> annotation == null ? DataTypes.IntegerType : INT32.get(annotation);
      case INT64 -> annotation == null ? DataTypes.LongType : INT64.get(annotation);
      case BINARY -> LogicalTypeAnnotation.stringType().equals(annotation) ? DataTypes.StringType : null;
      default -> null;
    };
  }
}
