package org.sqlml;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.NamespaceChange;
import org.apache.spark.sql.connector.catalog.SupportsNamespaces;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.connector.catalog.TableChange;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import org.sqlml.catalog.RegistryTable;
import org.sqlml.common.Failure;
import org.sqlml.common.Json;
import org.sqlml.common.SneakyThrow;
import org.sqlml.common.SqlmlAnalysisException;
import org.sqlml.python.Bridge;
import org.sqlml.python.Handler;

/**
 * The registry as tables: {@code sqlml.models} and its like. A catalog of its own, so that two words name a table
 * whatever the current database is, nothing is kept that could go stale, and the metastore stays untouched.
 */
public final class RegistryCatalog implements TableCatalog, SupportsNamespaces {
  private String name;

  @Override
  public void initialize(String name, CaseInsensitiveStringMap options) {
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Identifier[] listTables(String[] namespace) throws NoSuchNamespaceException {
    if (namespace.length > 0) {
      throw new NoSuchNamespaceException(namespace);
    }
    List<Identifier> tables = new ArrayList<>();
    tables().forEach(table -> tables.add(Identifier.of(namespace, table.get("name").asText())));
    return tables.toArray(new Identifier[0]);
  }

  @Override
  public Table loadTable(Identifier identifier) throws NoSuchTableException {
    if (identifier.namespace().length == 0) {
      for (JsonNode table : tables()) {
        if (table.get("name").asText().equalsIgnoreCase(identifier.name())) {
          StructType schema = StructType.fromDDL(table.get("schema").asText());
          return new RegistryTable(table.get("name").asText(), table.get("comment").asText(), schema);
        }
      }
    }
    throw new NoSuchTableException(identifier);
  }

  private JsonNode tables() {
    return Json.read((String) Bridge.ask(SparkSession.active(), Handler::tables));
  }

  // The registry changes by statements about models.

  @Override
  public Table createTable(
      Identifier identifier, Column[] columns, Transform[] partitions, Map<String, String> properties) {
    throw readOnly();
  }

  @Override
  public Table alterTable(Identifier identifier, TableChange... changes) {
    throw readOnly();
  }

  @Override
  public boolean dropTable(Identifier identifier) {
    throw readOnly();
  }

  @Override
  public void renameTable(Identifier from, Identifier to) {
    throw readOnly();
  }

  @Override
  public String[][] listNamespaces() {
    return new String[0][];
  }

  @Override
  public String[][] listNamespaces(String[] namespace) throws NoSuchNamespaceException {
    if (namespace.length > 0) {
      throw new NoSuchNamespaceException(namespace);
    }
    return listNamespaces();
  }

  @Override
  public Map<String, String> loadNamespaceMetadata(String[] namespace) throws NoSuchNamespaceException {
    if (namespace.length > 0) {
      throw new NoSuchNamespaceException(namespace);
    }
    return Map.of(SupportsNamespaces.PROP_COMMENT, "The registry of sqlml's models");
  }

  @Override
  public void createNamespace(String[] namespace, Map<String, String> metadata) {
    throw readOnly();
  }

  @Override
  public void alterNamespace(String[] namespace, NamespaceChange... changes) {
    throw readOnly();
  }

  @Override
  public boolean dropNamespace(String[] namespace, boolean cascade) {
    throw readOnly();
  }

  private RuntimeException readOnly() {
    String message =
        "[SQLML_READ_ONLY] The tables of " + name + " are read-only. They show the model registry, which TRAIN MODEL, ALTER"
            + " MODEL and DROP MODEL change.";
    return SneakyThrow.of(
        new SqlmlAnalysisException(new Failure("SQLML_READ_ONLY", "25006", message, null, null)));
  }
}
