package org.sqlml.predict;

import java.util.Locale;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.If;
import org.apache.spark.sql.catalyst.expressions.Length;
import org.apache.spark.sql.catalyst.expressions.LessThan;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.StringRPad;
import org.apache.spark.sql.catalyst.expressions.StringTrimRight;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructType;

/** Columns of type CHAR(n). Spark has them as STRING, with the declared type in the column's metadata. */
final class CharType {
  private static final String DECLARED = "__CHAR_VARCHAR_TYPE_STRING";
  private static final String CHAR = "char(";

  private CharType() {}

  /** The type of an expression as DDL; of a CHAR column that. */
  static String typeOf(Expression expression) {
    Metadata metadata = Metadata.empty();
    if (expression instanceof NamedExpression named) {
      metadata = named.metadata();
    } else if (expression instanceof GetStructField field && field.child().dataType() instanceof StructType struct) {
      metadata = struct.fields()[field.ordinal()].metadata();
    }
    String declared = metadata.contains(DECLARED) ? metadata.getString(DECLARED) : "";
    return isChar(declared) ? declared : expression.dataType().catalogString();
  }

  static boolean isChar(String type) {
    return type.toLowerCase(Locale.ROOT).startsWith(CHAR);
  }

  /** The type that Spark has for a column of a declared type. */
  static DataType stored(String type) {
    return DataType.fromDDL(isChar(type) ? "STRING" + type.substring(type.indexOf(')') + 1) : type);
  }

  /** The metadata that Spark keeps for a declared type. */
  static Metadata metadata(String type) {
    return isChar(type) ? new MetadataBuilder().putString(DECLARED, type).build() : Metadata.empty();
  }

  /** A value as one of a declared type: of CHAR(n) with blanks to that length, and never cut. */
  static Expression cast(Expression value, String type) {
    Expression cast = Cast$.MODULE$.apply(value, stored(type), false);
    if (!isChar(type)) {
      return cast;
    }
    int length = Integer.parseInt(type.substring(CHAR.length(), type.indexOf(')')));
    Expression trimmed = new StringTrimRight(cast);
    Literal wanted = Literal.create(length, DataTypes.IntegerType);
    Literal blank = Literal.create(" ", DataTypes.StringType);
    return new If(new LessThan(new Length(trimmed), wanted), new StringRPad(trimmed, wanted, blank), trimmed);
  }
}
