package org.sqlml;

import java.util.List;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.sqlml.common.ResourceTable;
import org.sqlml.optimizer.EliminateUnusedJoins;
import org.sqlml.optimizer.GuardArguments;
import org.sqlml.optimizer.InlineSmallModels;
import org.sqlml.optimizer.InsertColumnarToRow;
import org.sqlml.optimizer.KeepFiltersAbovePredictions;
import org.sqlml.optimizer.KeepScoringProjection;
import org.sqlml.optimizer.PhysicalRule;
import org.sqlml.optimizer.PruneModels;
import org.sqlml.optimizer.PullOutPredictions;
import org.sqlml.optimizer.ScoreAfterLimit;
import org.sqlml.optimizer.ShareModelOutputs;
import org.sqlml.optimizer.TakeOneOutput;
import org.sqlml.parser.ParameterizedStatement;
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
    SessionSettings.register();
    extensions.injectParser(SqlmlParser::over);
    for (Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>> function : FUNCTIONS) {
      extensions.injectFunction(function);
      BuiltinFunctions.add(function._1(), function._2(), function._3());
    }
    injectAnalysis(extensions);
    injectOptimization(extensions);
    injectExecution(extensions);
    return BoxedUnit.UNIT;
  }

  /** Each rule's comment says why it runs in its hook. */
  private static void injectAnalysis(SparkSessionExtensions extensions) {
    if (!SqlmlParser.PARSER_TAKES_PARAMETERS) {
      extensions.injectResolutionRule(session -> new ParameterizedStatement.Resolve());
    }
    extensions.injectPostHocResolutionRule(session -> new TrimComparedChars());
    extensions.injectPostHocResolutionRule(session -> new DropCallArguments());
    extensions.injectPostHocResolutionRule(CheckScoringRights::new);
    extensions.injectPostHocResolutionRule(CheckViewTypes::new);
  }

  private static void injectOptimization(SparkSessionExtensions extensions) {
    extensions.injectOptimizerRule(session -> new TakeOneOutput());
    // One batch, in this order: after Spark's own rules have moved filters and columns where they belong, and before
    // Spark asks data sources for them.
    extensions.injectPreCBORule(session -> new PullOutPredictions());
    extensions.injectPreCBORule(session -> new ScoreAfterLimit());
    extensions.injectPreCBORule(session -> new PruneModels());
    extensions.injectPreCBORule(session -> new EliminateUnusedJoins());
    extensions.injectPreCBORule(session -> new ShareModelOutputs());
    extensions.injectPreCBORule(session -> new GuardArguments());
    if (KeepFiltersAbovePredictions.IS_NEEDED) {
      extensions.injectPreCBORule(session -> new KeepFiltersAbovePredictions());
    }
  }

  private static void injectExecution(SparkSessionExtensions extensions) {
    extensions.injectColumnar(session -> new PhysicalRule(KeepScoringProjection::apply));
    extensions.injectColumnar(session -> new PhysicalRule(InlineSmallModels::apply));
    extensions.injectColumnar(session -> new PhysicalRule(InsertColumnarToRow::apply));
  }

  private static Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>> function(
      String name, String function) {
    return new Tuple3<>(
        new FunctionIdentifier(name),
        FunctionInfo.of(name, function),
        arguments -> new PredictFunction(function).build(arguments));
  }
}
