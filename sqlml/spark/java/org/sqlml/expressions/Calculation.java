package org.sqlml.expressions;

import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
import org.apache.spark.sql.catalyst.expressions.codegen.CodeBlock;
import org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator$;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprValue;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.sqlml.common.Seqs;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** The base class of sqlml's expressions: children in a list, and equality by them and by what else they know. */
abstract class Calculation extends Expression implements java.io.Serializable {
  private final Seq<Expression> children;

  Calculation(List<Expression> children) {
    this.children = CollectionConverters.asScala(children).toSeq();
  }

  /** The same with other children. */
  abstract Calculation with(List<Expression> children);

  /** The members that, beside class and children, decide equality; an object with an equality of its own. */
  abstract Object identity();

  public final List<Expression> inputs() {
    return CollectionConverters.asJava(children);
  }

  @Override
  public final Seq<Expression> children() {
    return children;
  }

  @Override
  public final Expression withNewChildrenInternal(IndexedSeq<Expression> changed) {
    return with(List.copyOf(CollectionConverters.asJava(changed)));
  }

  @Override
  public final int productArity() {
    return 2;
  }

  @Override
  public final Object productElement(int index) {
    return index == 0 ? children : identity();
  }

  @Override
  public final boolean canEqual(Object other) {
    return other != null && other.getClass() == getClass();
  }

  @Override
  public final boolean equals(Object other) {
    return canEqual(other)
        && ((Calculation) other).identity().equals(identity())
        && ((Calculation) other).children.equals(children);
  }

  @Override
  public final int hashCode() {
    return 31 * children.hashCode() + identity().hashCode();
  }

  /** Code that leaves a value, as Java has it, in a variable of its own. */
  final ExprCode variable(CodegenContext context, ExprCode code, Block before, String value, ExprValue isNull) {
    String name = context.freshName("value");
    String type = CodeGenerator$.MODULE$.javaType(dataType());
    Block block = before.$plus(line(type + " " + name + " = " + value + ";\n"));
    return code.copy(block, isNull, JavaCode$.MODULE$.variable(name, dataType()));
  }

  /** A line of Java. Other blocks are added to it, and never pasted into it: a block's text has escapes. */
  static Block line(String text) {
    return new CodeBlock(
        CollectionConverters.asScala(List.of(text)).toSeq(), Seqs.empty());
  }
}
