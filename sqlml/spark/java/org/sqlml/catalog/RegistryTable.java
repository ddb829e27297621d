package org.sqlml.catalog;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.CatalystTypeConverters;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.read.LocalScan;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import org.sqlml.common.CurrentUser;
import org.sqlml.python.Bridge;
import org.sqlml.python.Replies;
import scala.Function1;

/** One table of the registry. Every query that is planned asks the registry anew, on the driver, without a job. */
public final class RegistryTable implements Table, SupportsRead {
  private final String name;
  private final String comment;
  private final StructType schema;

  public RegistryTable(String name, String comment, StructType schema) {
    this.name = name;
    this.comment = comment;
    this.schema = schema;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  @SuppressWarnings("deprecation") // The default columns() of every version of Spark reads it.
  public StructType schema() {
    return schema;
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("comment", comment);
  }

  @Override
  public Set<TableCapability> capabilities() {
    return Set.of(TableCapability.BATCH_READ);
  }

  @Override
  public ScanBuilder newScanBuilder(CaseInsensitiveStringMap options) {
    return RegistryScan::new;
  }

  private final class RegistryScan implements LocalScan {
    @Override
    public StructType readSchema() {
      return schema;
    }

    @Override
    public InternalRow[] rows() {
      SparkSession session = SparkSession.active();
      String user = CurrentUser.of(session);
      Object reply = Bridge.ask(session, handler -> handler.table(session, user, name));
      List<?> rows = Replies.object(reply, List.class, null);
      Function1<Object, Object> convert = CatalystTypeConverters.createToCatalystConverter(schema);
      return rows.stream().map(convert::apply).toArray(InternalRow[]::new);
    }

    @Override
    public String description() {
      return "sqlml." + name;
    }
  }
}
