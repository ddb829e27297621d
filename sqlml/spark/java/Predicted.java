package org.sqlml;

import java.util.List;
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
  private final String call;
  private final List<Integer> order;

  /**
   * @param call the function and the model: predict(churn
   * @param order for each of the child's arguments, its index in the call; null where the call says `*`
   */
  @SuppressWarnings("unchecked")
  Predicted(Expression child, String call, List<Integer> order) {
    this.child = child;
    this.children = ((Seq<Expression>) (Object) Nil$.MODULE$).$colon$plus(child).toSeq();
    this.call = call;
    this.order = order;
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

  /** Spark asks a copy of this node with a prettier child when it needs the header of a column. */
  @Override
  public String sql() {
    if (order == null) {
      return call + ", *)";
    }
    String[] arguments = new String[order.size()];
    for (int i = 0; i < arguments.length; i++) {
      arguments[order.get(i)] = child.children().apply(i).sql();
    }
    return call + ", " + String.join(", ", arguments) + ")";
  }

  @Override
  public String toString() {
    return child.toString();
  }

  @Override
  public Expression withNewChildrenInternal(IndexedSeq<Expression> children) {
    return new Predicted(children.head(), call, order);
  }

  @Override
  public int productArity() {
    return 3;
  }

  @Override
  public Object productElement(int index) {
    return new Object[] {child, call, order}[index];
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
