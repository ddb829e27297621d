package org.sqlml;

import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.parser.ParserInterface;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.execution.ColumnarRule;
import org.apache.spark.sql.execution.SparkPlan;
import org.sqlml.common.ResourceTable;
import org.sqlml.optimizer.EliminateUnusedJoins;
import org.sqlml.optimizer.GuardArguments;
import org.sqlml.optimizer.InlineSmallModels;
import org.sqlml.optimizer.InsertColumnarToRow;
import org.sqlml.optimizer.KeepScoringProjection;
import org.sqlml.optimizer.PhysicalRule;
import org.sqlml.optimizer.PruneModels;
import org.sqlml.optimizer.PullOutPredictions;
import org.sqlml.optimizer.ScoreAfterLimit;
import org.sqlml.optimizer.ShareModelOutputs;
import org.sqlml.optimizer.TakeOneOutput;
import org.sqlml.parser.SqlmlParser;
import org.sqlml.predict.CheckScoringRights;
import org.sqlml.predict.CheckViewTypes;
import org.sqlml.predict.DropCallArguments;
import org.sqlml.predict.FunctionInfo;
import org.sqlml.predict.PredictFunction;
import org.sqlml.predict.TrimComparedChars;
import scala.Function1;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.runtime.AbstractFunction1;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/** The class to name in spark.sql.extensions: our statements for the parser, our functions, our rules. */
public final class SqlmlExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
  /**
   * The names SQL calls with their functions; the package's build writes the table. One object for all sessions: the
   * builders hold no session, and a registry that gets the same object again does not warn of a replaced function.
   */
  private static final List<Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>>>
      FUNCTIONS = ResourceTable.read("functions.txt").stream().map(names -> function(names[0], names[1])).toList();

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    StaticSettings.register();
    extensions.injectParser(
        new AbstractFunction2<SparkSession, ParserInterface, ParserInterface>() {
          @Override
          public ParserInterface apply(SparkSession session, ParserInterface delegate) {
            return SqlmlParser.over(session, delegate);
          }
        });
    for (Rule<LogicalPlan> rule : List.of(new TrimComparedChars(), new DropCallArguments())) {
      extensions.injectPostHocResolutionRule(
          new AbstractFunction1<SparkSession, Rule<LogicalPlan>>() {
            @Override
            public Rule<LogicalPlan> apply(SparkSession session) {
              return rule;
            }
          });
    }
    extensions.injectPostHocResolutionRule(
        new AbstractFunction1<SparkSession, Rule<LogicalPlan>>() {
          @Override
          public Rule<LogicalPlan> apply(SparkSession session) {
            return new CheckScoringRights(session);
          }
        });
    extensions.injectPostHocResolutionRule(
        new AbstractFunction1<SparkSession, Rule<LogicalPlan>>() {
          @Override
          public Rule<LogicalPlan> apply(SparkSession session) {
            return new CheckViewTypes(session);
          }
        });
    extensions.injectOptimizerRule(
        new AbstractFunction1<SparkSession, Rule<LogicalPlan>>() {
          @Override
          public Rule<LogicalPlan> apply(SparkSession session) {
            return new TakeOneOutput();
          }
        });
    // After Spark's own rules have moved filters and columns where they belong, before it asks files for them.
    List<Rule<LogicalPlan>> late =
        List.of(new PullOutPredictions(), new ScoreAfterLimit(), new PruneModels(), new EliminateUnusedJoins(), new ShareModelOutputs(), new GuardArguments());
    for (Rule<LogicalPlan> rule : late) {
      extensions.injectPreCBORule(
          new AbstractFunction1<SparkSession, Rule<LogicalPlan>>() {
            @Override
            public Rule<LogicalPlan> apply(SparkSession session) {
              return rule;
            }
          });
    }
    List<UnaryOperator<SparkPlan>> physical = List.of(KeepScoringProjection::apply, InlineSmallModels::apply, InsertColumnarToRow::apply);
    for (UnaryOperator<SparkPlan> change : physical) {
      extensions.injectColumnar(
          new AbstractFunction1<SparkSession, ColumnarRule>() {
            @Override
            public ColumnarRule apply(SparkSession session) {
              return new PhysicalRule(change);
            }
          });
    }
    for (Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>> function : FUNCTIONS) {
      extensions.injectFunction(function);
      BuiltinFunctions.add(function._1(), function._2(), function._3());
    }
    return BoxedUnit.UNIT;
  }

  private static Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>> function(
      String name, String function) {
    return new Tuple3<>(
        new FunctionIdentifier(name),
        FunctionInfo.of(name, function),
        new AbstractFunction1<Seq<Expression>, Expression>() {
          @Override
          public Expression apply(Seq<Expression> arguments) {
            return new PredictFunction(function).build(arguments);
          }
        });
  }
}
