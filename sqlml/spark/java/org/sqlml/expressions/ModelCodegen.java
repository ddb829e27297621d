package org.sqlml.expressions;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.PreciseTimestampConversion;
import org.apache.spark.sql.catalyst.expressions.UnixDate;
import org.apache.spark.sql.catalyst.expressions.codegen.Block;
import org.apache.spark.sql.catalyst.expressions.codegen.CodeGenerator$;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.EmptyBlock$;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprValue;
import org.apache.spark.sql.catalyst.expressions.codegen.FalseLiteral$;
import org.apache.spark.sql.catalyst.expressions.codegen.JavaCode$;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Code generation for a {@link CompiledModel}: inlined, in a method of its own, or in several. */
final class ModelCodegen {
  /**
   * A program of more expressions is generated in several methods: HotSpot compiles none of more than 8,000 bytes of
   * bytecode. One of fewer has a method of its own, where {@code InlineSmallModels} does not put it among the query's columns.
   */
  private static final int MOST_IN_ONE = 600;

  /** Java's limit, in words of four bytes; one is `this`. */
  private static final int MOST_PARAMETERS = 254;

  /** In characters of Java. */
  private static final int MOST_IN_METHOD = 4_000;

  private final CodegenContext context;
  private final Program program;
  private final Set<Integer> wanted;

  /** How often each slot is read. */
  private final int[] reads;

  /** The field of the numbers, and the variable that says whether there are none. */
  private final String numbers;

  private final String isNull;

  /** The inputs and then the definitions; null where nobody reads one. */
  private final List<ExprCode> slots = new ArrayList<>();

  ModelCodegen(CodegenContext context, Program program, Set<Integer> wanted, int[] reads) {
    this.context = context;
    this.program = program;
    this.wanted = wanted;
    this.reads = reads;
    var length = ForestScores.array(program.numbers().size());
    numbers = context.addMutableState("double[]", "numbers", length, true, true);
    isNull = context.freshName("isNull");
  }

  ExprCode of(ExprCode code, List<Expression> columns, boolean inPlace) {
    Block inputs = EmptyBlock$.MODULE$;
    for (Expression column : columns) {
      ExprCode input = column.genCode(context);
      ExprCode slot = slot(column.dataType(), input.isNull(), input.value());
      if (inPlace && reads[slots.size()] <= 1 && cannotFail(column)) {
        slot = readOnce(slot, input.code());
      } else {
        inputs = inputs.$plus(input.code());
      }
      slots.add(slot);
    }
    Seq<ExprCode> around = context.currentVars();
    String row = context.INPUT_ROW();
    try {
      context.INPUT_ROW_$eq(null);
      Block block =
          inPlace ? inputs.$plus(defined()).$plus(absent(isNull))
              : program.size(wanted, reads) <= MOST_IN_ONE && words() <= MOST_PARAMETERS ? inputs.$plus(inMethod())
              : inMethods(inputs);
      return code.copy(
          block, JavaCode$.MODULE$.isNullVariable(isNull), JavaCode$.MODULE$.global(numbers, double[].class));
    } finally {
      context.currentVars_$eq(around);
      context.INPUT_ROW_$eq(row);
    }
  }

  /** An input: NaN is a number that is missing. */
  private static ExprCode slot(DataType type, ExprValue isNull, ExprValue value) {
    ExprValue missing = type.equals(DataTypes.DoubleType) ? new IsNullOrNaN(isNull, value) : isNull;
    return new ExprCode(EmptyBlock$.MODULE$, missing, value);
  }

  /**
   * A slot that its one reader computes, right before it reads: few numbers wait in registers for others. A linear model
   * of 28 columns takes 30 ns a row so, and 75 ns where all columns come first, then all that is made of them.
   */
  private static ExprCode readOnce(ExprCode slot, Block code) {
    return slot.copy(code, slot.isNull(), slot.value());
  }

  /** Whether it is the same wherever an input is computed, and if it is not at all. */
  private static boolean cannotFail(Expression input) {
    if (input.children().isEmpty()) {
      return input.deterministic();
    }
    Expression child = input.children().apply(0);
    boolean converted =
        input instanceof UnixDate
            || input instanceof PreciseTimestampConversion
            || input instanceof Cast cast
                && (!cast.ansiEnabled() || Cast$.MODULE$.canUpCast(child.dataType(), cast.dataType()));
    return converted && cannotFail(child);
  }

  /** The inputs are parameters of a method, and all other slots its local variables. */
  private Block inMethod() {
    List<String> parameters = new ArrayList<>();
    List<String> arguments = new ArrayList<>();
    for (int i = 0; i < slots.size(); i++) {
      DataType type = program.inputs().get(i);
      String value = context.freshName("input");
      String missing = context.freshName("missing");
      parameters.add(CodeGenerator$.MODULE$.javaType(type) + " " + value + ", boolean " + missing);
      arguments.add(slots.get(i).value() + ", " + IsNullOrNaN.isNull(slots.get(i)));
      slots.set(i, slot(type, JavaCode$.MODULE$.isNullVariable(missing), JavaCode$.MODULE$.variable(value, type)));
    }
    Block method = defined();
    String none = context.freshName("isNull");
    String name = context.freshName("score");
    String text =
        "private boolean "
            + name
            + "("
            + String.join(", ", parameters)
            + ") {\n"
            + method
            + absent(none)
            + "return "
            + none
            + ";\n}\n";
    String call = context.addNewFunction(name, text, false) + "(" + String.join(", ", arguments) + ")";
    return Calculation.line("boolean " + isNull + " = " + call + ";\n");
  }

  /** The definitions that are needed as local variables, which become slots, and the numbers that are wanted. */
  private Block defined() {
    Block block = EmptyBlock$.MODULE$;
    for (int i = 0; i < program.definitions().size(); i++) {
      int read = reads[slots.size()];
      if (read == 0) {
        slots.add(null);
        continue;
      }
      ExprCode found = generated(program.definitions().get(i));
      ExprValue none = program.nullable().get(i) ? found.isNull() : FalseLiteral$.MODULE$;
      ExprCode slot = new ExprCode(EmptyBlock$.MODULE$, none, found.value());
      if (read == 1) {
        slot = readOnce(slot, found.code());
      } else {
        block = block.$plus(found.code());
      }
      slots.add(slot);
    }
    for (int index : wanted) {
      ExprCode found = generated(program.numbers().get(index));
      block = block.$plus(found.code()).$plus(Calculation.line(assigned(index, found)));
    }
    return block;
  }

  /** A variable: whether there is no answer. */
  private Block absent(String variable) {
    if (program.present() == null) {
      return Calculation.line("boolean " + variable + " = false;\n");
    }
    ExprCode present = generated(program.present());
    String none = present.isNull() + " || !" + present.value();
    return present.code().$plus(Calculation.line("boolean " + variable + " = " + none + ";\n"));
  }

  /** How much room the inputs take as parameters. */
  private int words() {
    int words = 0;
    for (DataType type : program.inputs()) {
      String java = CodeGenerator$.MODULE$.javaType(type);
      words += java.equals("double") || java.equals("long") ? 3 : 2;
    }
    return words;
  }

  /** All slots are fields, and the definitions stand in methods that read and write them. */
  private Block inMethods(Block inputs) {
    Block block = inputs;
    for (int i = 0; i < slots.size(); i++) {
      DataType type = program.inputs().get(i);
      ExprCode field = field(type, true);
      ExprCode code = slots.get(i);
      ExprCode kept = code.copy(code.code(), IsNullOrNaN.isNull(code), code.value());
      block = block.$plus(Calculation.line(assigned(field, kept)));
      slots.set(i, slot(type, field.isNull(), field.value()));
    }
    StringBuilder method = new StringBuilder();
    for (int i = 0; i < program.definitions().size(); i++) {
      if (reads[slots.size()] == 0) {
        slots.add(null);
        continue;
      }
      Expression definition = program.definitions().get(i);
      ExprCode found = generated(definition);
      ExprCode field = field(definition.dataType(), program.nullable().get(i));
      method.append(found.code()).append('\n').append(assigned(field, found));
      slots.add(field);
      block = block.$plus(called(method, MOST_IN_METHOD));
    }
    for (int index : wanted) {
      ExprCode found = generated(program.numbers().get(index));
      method.append(found.code()).append('\n').append(assigned(index, found));
      block = block.$plus(called(method, MOST_IN_METHOD));
    }
    block = block.$plus(called(method, 0));
    String name = context.freshName("absent");
    String none = context.freshName("isNull");
    String text = "private boolean " + name + "() {\n" + absent(none) + "return " + none + ";\n}\n";
    String call = context.addNewFunction(name, text, false) + "()";
    return block.$plus(Calculation.line("boolean " + isNull + " = " + call + ";\n"));
  }

  /** The call of a method that is longer than so many letters, after which another one begins. */
  private Block called(StringBuilder method, int longest) {
    if (method.length() <= longest) {
      return EmptyBlock$.MODULE$;
    }
    String name = context.freshName("define");
    String text = "private void " + name + "() {\n" + method + "}\n";
    method.setLength(0);
    return Calculation.line(context.addNewFunction(name, text, false) + "();\n");
  }

  private ExprCode generated(Expression expression) {
    context.currentVars_$eq(CollectionConverters.asScala(slots).toSeq());
    return expression.genCode(context);
  }

  private ExprCode field(DataType type, boolean nullable) {
    var none = context.addMutableState$default$3();
    String java = CodeGenerator$.MODULE$.javaType(type);
    ExprValue value = JavaCode$.MODULE$.global(context.addMutableState(java, "slot", none, true, true), type);
    ExprValue missing =
        nullable
            ? JavaCode$.MODULE$.isNullGlobal(context.addMutableState("boolean", "isNull", none, true, true))
            : FalseLiteral$.MODULE$;
    return new ExprCode(EmptyBlock$.MODULE$, missing, value);
  }

  private String assigned(int index, ExprCode found) {
    return numbers + "[" + index + "] = " + found.value() + ";\n";
  }

  private static String assigned(ExprCode field, ExprCode found) {
    String value = field.value() + " = " + found.value() + ";\n";
    return field.isNull() == FalseLiteral$.MODULE$ ? value : field.isNull() + " = " + found.isNull() + ";\n" + value;
  }
}
