package org.sqlml;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
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
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A model computed in the query itself: a program over the columns of a query. Its value is an array of the program's
 * numbers, which the next row overwrites; NULL where there is no answer. Only those that somebody takes are computed.
 */
final class Compiled extends Calculation {
  /**
   * A program of more expressions is generated in several methods: HotSpot compiles none of more than 8,000 bytes of
   * bytecode. One of fewer has a method of its own, where {@link CodeInPlace} does not put it among the query's columns.
   */
  private static final int MOST_IN_ONE = 600;

  /** Java's limit, in words of four bytes; one is `this`. */
  private static final int MOST_PARAMETERS = 254;

  /** In letters of Java. */
  private static final int MOST_IN_METHOD = 4_000;

  private final Program program;
  private final String shown;
  private final Set<Integer> wanted;
  private final boolean inPlace;

  /**
   * @param shown what EXPLAIN calls it
   * @param wanted the places of the numbers that somebody takes
   * @param inputs one for each of the program's, of its type
   */
  Compiled(Program program, String shown, Set<Integer> wanted, List<Expression> inputs) {
    this(program, shown, wanted, inputs, false);
  }

  private Compiled(Program program, String shown, Set<Integer> wanted, List<Expression> inputs, boolean inPlace) {
    super(inputs);
    this.program = program;
    this.shown = shown;
    this.wanted = wanted;
    this.inPlace = inPlace;
  }

  /** Columns as the inputs of a program. */
  static List<Expression> inputs(Program program, List<Expression> columns) {
    List<Expression> inputs = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      inputs.add(input(columns.get(i), program.inputs().get(i)));
    }
    return inputs;
  }

  /** What EXPLAIN calls it. */
  String shown() {
    return shown;
  }

  /** A column as the input of a type: a date as its days, a timestamp as its microseconds. */
  private static Expression input(Expression column, DataType type) {
    DataType given = column.dataType();
    if (given.equals(type)) {
      return column;
    }
    if (given instanceof DateType) {
      return new UnixDate(column);
    }
    if (given instanceof TimestampType || given instanceof TimestampNTZType) {
      return new PreciseTimestampConversion(column, given, type);
    }
    return Cast$.MODULE$.apply(column, type, given instanceof NullType);
  }

  Program program() {
    return program;
  }

  Set<Integer> wanted() {
    return wanted;
  }

  Compiled wanting(Set<Integer> numbers) {
    return new Compiled(program, shown, numbers, inputs(), inPlace);
  }

  /** The same, whose code stands where its value is taken. */
  Compiled inPlace() {
    return new Compiled(program, shown, wanted, inputs(), true);
  }

  /** How many expressions a row is. */
  int size() {
    return program.size(wanted);
  }

  /** What calls of one model for the same columns have in common, whatever they take of it. */
  Expression rows() {
    return wanting(Set.of()).canonicalized();
  }

  @Override
  Calculation with(List<Expression> children) {
    return new Compiled(program, shown, wanted, children, inPlace);
  }

  @Override
  Object identity() {
    return List.of(program, shown, wanted, inPlace);
  }

  @Override
  public DataType dataType() {
    return ForestScores.NUMBERS;
  }

  @Override
  public boolean nullable() {
    return true;
  }

  @Override
  public boolean foldable() {
    return false;
  }

  @Override
  public Object eval(InternalRow row) {
    List<Expression> inputs = inputs();
    BitSet needed = program.needed(wanted);
    Object[] slots = new Object[inputs.size() + program.definitions().size()];
    GenericInternalRow known = new GenericInternalRow(slots);
    for (int i = 0; i < inputs.size(); i++) {
      Object value = inputs.get(i).eval(row);
      slots[i] = value instanceof Double number && number.isNaN() ? null : value;
    }
    for (int i = needed.nextSetBit(0); i >= 0; i = needed.nextSetBit(i + 1)) {
      slots[inputs.size() + i] = program.definitions().get(i).eval(known);
    }
    if (program.present() != null && !Boolean.TRUE.equals(program.present().eval(known))) {
      return null;
    }
    double[] numbers = new double[program.numbers().size()];
    for (int place : wanted) {
      numbers[place] = (Double) program.numbers().get(place).eval(known);
    }
    return numbers;
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    List<ExprCode> slots = new ArrayList<>();
    Block inputs = EmptyBlock$.MODULE$;
    for (Expression input : inputs()) {
      ExprCode column = input.genCode(context);
      inputs = inputs.$plus(column.code());
      slots.add(slot(input.dataType(), column.isNull(), column.value()));
    }
    Seq<ExprCode> around = context.currentVars();
    String row = context.INPUT_ROW();
    try {
      context.INPUT_ROW_$eq(null);
      var length = ForestScores.array(program.numbers().size());
      String numbers = context.addMutableState("double[]", "numbers", length, true, true);
      BitSet needed = program.needed(wanted);
      String name = context.freshName("isNull");
      Block block;
      if (inPlace) {
        Block written = defined(context, slots, needed, numbers);
        block = inputs.$plus(written).$plus(absent(context, slots, name));
      } else if (size() <= MOST_IN_ONE && words(slots) <= MOST_PARAMETERS) {
        block = inputs.$plus(inMethod(context, slots, needed, numbers, name));
      } else {
        block = inMethods(context, inputs, slots, needed, numbers, name);
      }
      return code.copy(
          block, JavaCode$.MODULE$.isNullVariable(name), JavaCode$.MODULE$.global(numbers, double[].class));
    } finally {
      context.currentVars_$eq(around);
      context.INPUT_ROW_$eq(row);
    }
  }

  /** An input: NaN is a number that is missing. */
  private static ExprCode slot(DataType type, ExprValue isNull, ExprValue value) {
    ExprValue missing = type.equals(DataTypes.DoubleType) ? new MissingNumber(isNull, value) : isNull;
    return new ExprCode(EmptyBlock$.MODULE$, missing, value);
  }

  /** The inputs are parameters of a method, and all other slots its local variables. */
  private Block inMethod(
      CodegenContext context, List<ExprCode> slots, BitSet needed, String numbers, String isNull) {
    List<String> parameters = new ArrayList<>();
    List<String> given = new ArrayList<>();
    for (int i = 0; i < slots.size(); i++) {
      DataType type = program.inputs().get(i);
      String value = context.freshName("input");
      String missing = context.freshName("missing");
      parameters.add(CodeGenerator$.MODULE$.javaType(type) + " " + value + ", boolean " + missing);
      given.add(slots.get(i).value() + ", " + MissingNumber.isNull(slots.get(i)));
      slots.set(i, slot(type, JavaCode$.MODULE$.isNullVariable(missing), JavaCode$.MODULE$.variable(value, type)));
    }
    Block method = defined(context, slots, needed, numbers);
    String none = context.freshName("isNull");
    String name = context.freshName("score");
    String text =
        "private boolean "
            + name
            + "("
            + String.join(", ", parameters)
            + ") {\n"
            + method
            + absent(context, slots, none)
            + "return "
            + none
            + ";\n}\n";
    String call = context.addNewFunction(name, text, false) + "(" + String.join(", ", given) + ")";
    return line("boolean " + isNull + " = " + call + ";\n");
  }

  /** The definitions that are needed as local variables, which become slots, and the numbers that are wanted. */
  private Block defined(CodegenContext context, List<ExprCode> slots, BitSet needed, String numbers) {
    Block block = EmptyBlock$.MODULE$;
    for (int i = 0; i < program.definitions().size(); i++) {
      if (!needed.get(i)) {
        slots.add(null);
        continue;
      }
      ExprCode found = generated(context, slots, program.definitions().get(i));
      block = block.$plus(found.code());
      ExprValue none = program.nullable().get(i) ? found.isNull() : FalseLiteral$.MODULE$;
      slots.add(new ExprCode(EmptyBlock$.MODULE$, none, found.value()));
    }
    for (int place : wanted) {
      ExprCode found = generated(context, slots, program.numbers().get(place));
      block = block.$plus(found.code()).$plus(line(assigned(numbers, place, found)));
    }
    return block;
  }

  /** A variable: whether there is no answer. */
  private Block absent(CodegenContext context, List<ExprCode> slots, String isNull) {
    if (program.present() == null) {
      return line("boolean " + isNull + " = false;\n");
    }
    ExprCode present = generated(context, slots, program.present());
    return present
        .code()
        .$plus(line("boolean " + isNull + " = " + present.isNull() + " || !" + present.value() + ";\n"));
  }

  /** How much room the inputs take as parameters. */
  private int words(List<ExprCode> slots) {
    int words = 0;
    for (int i = 0; i < slots.size(); i++) {
      String java = CodeGenerator$.MODULE$.javaType(program.inputs().get(i));
      words += java.equals("double") || java.equals("long") ? 3 : 2;
    }
    return words;
  }

  /** All slots are fields, and the definitions stand in methods that read and write them. */
  private Block inMethods(
      CodegenContext context, Block inputs, List<ExprCode> slots, BitSet needed, String numbers, String isNull) {
    Block block = inputs;
    for (int i = 0; i < slots.size(); i++) {
      DataType type = program.inputs().get(i);
      ExprCode field = field(context, type, true);
      ExprCode given = slots.get(i);
      block = block.$plus(line(assigned(field, given.copy(given.code(), MissingNumber.isNull(given), given.value()))));
      slots.set(i, slot(type, field.isNull(), field.value()));
    }
    StringBuilder method = new StringBuilder();
    for (int i = 0; i < program.definitions().size(); i++) {
      if (!needed.get(i)) {
        slots.add(null);
        continue;
      }
      Expression definition = program.definitions().get(i);
      ExprCode found = generated(context, slots, definition);
      ExprCode field = field(context, definition.dataType(), program.nullable().get(i));
      method.append(found.code()).append('\n').append(assigned(field, found));
      slots.add(field);
      block = block.$plus(called(context, method, MOST_IN_METHOD));
    }
    for (int place : wanted) {
      ExprCode found = generated(context, slots, program.numbers().get(place));
      method.append(found.code()).append('\n').append(assigned(numbers, place, found));
      block = block.$plus(called(context, method, MOST_IN_METHOD));
    }
    block = block.$plus(called(context, method, 0));
    String name = context.freshName("absent");
    String none = context.freshName("isNull");
    String text = "private boolean " + name + "() {\n" + absent(context, slots, none) + "return " + none + ";\n}\n";
    return block.$plus(line("boolean " + isNull + " = " + context.addNewFunction(name, text, false) + "();\n"));
  }

  /** The call of a method that is longer than so many letters, after which another one begins. */
  private static Block called(CodegenContext context, StringBuilder method, int longest) {
    if (method.length() <= longest) {
      return EmptyBlock$.MODULE$;
    }
    String name = context.freshName("define");
    String text = "private void " + name + "() {\n" + method + "}\n";
    method.setLength(0);
    return line(context.addNewFunction(name, text, false) + "();\n");
  }

  private static ExprCode generated(CodegenContext context, List<ExprCode> slots, Expression expression) {
    context.currentVars_$eq(CollectionConverters.asScala(slots).toSeq());
    return expression.genCode(context);
  }

  private static ExprCode field(CodegenContext context, DataType type, boolean nullable) {
    var none = context.addMutableState$default$3();
    String java = CodeGenerator$.MODULE$.javaType(type);
    ExprValue value = JavaCode$.MODULE$.global(context.addMutableState(java, "slot", none, true, true), type);
    ExprValue isNull =
        nullable
            ? JavaCode$.MODULE$.isNullGlobal(context.addMutableState("boolean", "isNull", none, true, true))
            : FalseLiteral$.MODULE$;
    return new ExprCode(EmptyBlock$.MODULE$, isNull, value);
  }

  private static String assigned(String numbers, int place, ExprCode found) {
    return numbers + "[" + place + "] = " + found.value() + ";\n";
  }

  private static String assigned(ExprCode field, ExprCode found) {
    String value = field.value() + " = " + found.value() + ";\n";
    return field.isNull() == FalseLiteral$.MODULE$ ? value : field.isNull() + " = " + found.isNull() + ";\n" + value;
  }

  @Override
  public String toString() {
    List<String> inputs = new ArrayList<>();
    for (Expression input : inputs()) {
      inputs.add(input.toString());
    }
    return shown + "(" + String.join(", ", inputs) + ")";
  }
}
