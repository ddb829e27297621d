package org.sqlml.optimizer;

import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.execution.SparkPlan;
import org.sqlml.common.TreeTransform;
import org.sqlml.expressions.CompiledModel;
import org.sqlml.predict.PredictCalls;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Physical rule: method inlining. Where an operator is small with its compiled models, their code is inlined into its
 * generated method: a call of a method with all inputs as parameters takes as long as a linear model of them. HotSpot
 * compiles no method of more than 8,000 bytes of bytecode, and neighbouring operators may become one method; so in any
 * other operator a model's code stays in a method of its own.
 *
 * <pre>
 * Project [m(x) by a method of its own]       →     Project [m(x) inlined]
 * +- FileScan [x]                                   +- FileScan [x]
 * </pre>
 *
 * <p>injectColumnar, after {@link KeepScoringProjection}, which decides which operator has which expressions.
 */
public final class InlineSmallModels {
  /** Limits and estimates in bytecode bytes: an operator, an expression of a model, any other one, an output column. */
  private static final int MOST = 4_000;

  private static final int OF_MODEL = 8;
  private static final int OF_EXPRESSION = 20;
  private static final int OF_COLUMN = 60;

  private InlineSmallModels() {}

  public static SparkPlan apply(SparkPlan operator) {
    List<Expression> expressions = CollectionConverters.asJava(operator.expressions());
    if (expressions.stream().noneMatch(PredictCalls::contains)) {
      return null;
    }
    int size = OF_COLUMN * operator.output().size() + expressions.stream().mapToInt(InlineSmallModels::size).sum();
    return size > MOST
        ? null
        : (SparkPlan)
            operator.transformExpressions(TreeTransform.by(node -> node instanceof CompiledModel call ? call.inPlace() : null));
  }

  private static int size(Expression expression) {
    int size = expression instanceof CompiledModel call ? OF_MODEL * call.size() : OF_EXPRESSION;
    List<Expression> children = CollectionConverters.asJava(expression.children());
    return children.isEmpty() ? 0 : size + children.stream().mapToInt(InlineSmallModels::size).sum();
  }
}
