package org.sqlml.expressions;

import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprValue;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;

/**
 * The generated test whether a double is NULL or NaN, which are both a missing value to a model. An expression that
 * treats NaN itself need only test for NULL.
 */
final class IsNullOrNaN implements ExprValue {
  private final ExprValue isNull;
  private final ExprValue value;

  IsNullOrNaN(ExprValue isNull, ExprValue value) {
    this.isNull = isNull;
    this.value = value;
  }

  /** Whether a number is NULL, where NaN may be taken for a number. */
  static ExprValue isNull(ExprCode number) {
    return number.isNull() instanceof IsNullOrNaN missing ? missing.isNull : number.isNull();
  }

  @Override
  public Class<?> javaType() {
    return boolean.class;
  }

  @Override
  public String code() {
    String nan = "Double.isNaN(" + value + ")";
    return isNull == FalseLiteral$.MODULE$ ? nan : "(" + isNull + " || " + nan + ")";
  }

  @Override
  public String toString() {
    return code();
  }
}
