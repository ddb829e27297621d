package org.sqlml;

import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Nil$;
import scala.collection.immutable.Seq;

/**
 * The value of its child under the text of the call. The function below it is named after model and version, which
 * EXPLAIN should show; but a result column, and a view's column for ever, must not be called after a version.
 */
final class Predicted extends Expression implements java.io.Serializable {
  private final Expression child;
  private final Seq<Expression> children;
  private final String label;

  @SuppressWarnings("unchecked")
  Predicted(Expression child, String label) {
    this.child = child;
    this.children = ((Seq<Expression>) (Object) Nil$.MODULE$).$colon$plus(child).toSeq();
    this.label = label;
  }

  @Override
  public Seq<Expression> children() {
    return children;
  }

  @Override
  public DataType dataType() {
    return child.dataType();
  }

  @Override
  public boolean nullable() {
    return child.nullable();
  }

  @Override
  public Object eval(InternalRow row) {
    return child.eval(row);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    ExprCode inner = child.genCode(context);
    return code.copy(inner.code(), inner.isNull(), inner.value());
  }

  @Override
  public String sql() {
    return label;
  }

  @Override
  public String toString() {
    return child.toString();
  }

  @Override
  public Expression withNewChildrenInternal(IndexedSeq<Expression> children) {
    return new Predicted(children.head(), label);
  }

  @Override
  public int productArity() {
    return 2;
  }

  @Override
  public Object productElement(int index) {
    return index == 0 ? child : label;
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof Predicted;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Predicted predicted && predicted.child.equals(child);
  }

  @Override
  public int hashCode() {
    return 31 * child.hashCode() + 1;
  }
}
