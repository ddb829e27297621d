import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;

/** What BI tools ask a JDBC driver when they connect and look around: `java Probe.java url schema view`. */
public final class Probe {
  public static void main(String[] given) throws SQLException {
    String schema = given[1];
    String view = given[2];
    try (Connection connection = DriverManager.getConnection(given[0], "tester", "")) {
      DatabaseMetaData about = connection.getMetaData();
      System.out.println("product\t" + about.getDatabaseProductName());
      print("catalog", about.getCatalogs(), "TABLE_CAT");
      print("schema", about.getSchemas(), "TABLE_SCHEM");
      print("table", about.getTables(null, schema, "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME", "TABLE_TYPE");
      print("column", about.getColumns(null, schema, view, "%"), "COLUMN_NAME", "TYPE_NAME", "REMARKS");
      print("function", about.getFunctions(null, null, "%"), "FUNCTION_NAME", "REMARKS");
      print("type", about.getTypeInfo(), "TYPE_NAME");
      try (Statement statement = connection.createStatement()) {
        // How Tableau and Power BI learn the types of a query.
        String query = "SELECT T.* FROM (SELECT * FROM " + schema + "." + view + ") T WHERE 1=0";
        ResultSet empty = statement.executeQuery(query);
        ResultSetMetaData columns = empty.getMetaData();
        for (int at = 1; at <= columns.getColumnCount(); at++) {
          System.out.println("probe\t" + columns.getColumnName(at) + "\t" + columns.getColumnTypeName(at));
        }
        System.out.println("rows\t" + empty.next());
        print("says", statement.executeQuery("DESCRIBE FUNCTION predict"), "function_desc");
        print("described", statement.executeQuery("DESCRIBE " + schema + "." + view), "col_name", "data_type", "comment");
        try {
          statement.executeQuery("SELECT predict(nobody_trained_it, 1)");
        } catch (SQLException error) {
          System.out.println("error\t" + error.getSQLState() + "\t" + error.getMessage().lines().findFirst().orElse(""));
        }
      }
    }
  }

  private static void print(String what, ResultSet rows, String... columns) throws SQLException {
    while (rows.next()) {
      StringBuilder line = new StringBuilder(what);
      for (String column : columns) {
        // Of a description of many lines the first.
        line.append('\t').append(String.valueOf(rows.getString(column)).lines().findFirst().orElse(""));
      }
      System.out.println(line);
    }
    rows.close();
  }
}
