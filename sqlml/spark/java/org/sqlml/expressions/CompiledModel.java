package org.sqlml.expressions;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.PreciseTimestampConversion;
import org.apache.spark.sql.catalyst.expressions.UnixDate;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;

/**
 * A model compiled into the query: a program over columns. Its value is an array of the program's outputs, which the
 * next row overwrites; NULL where there is no answer. Only the wanted outputs are computed.
 */
public final class CompiledModel extends Calculation {
  private final Program program;
  private final String shown;
  private final Set<Integer> wanted;
  private final boolean inPlace;

  /** How often each slot is read; computed once. */
  private transient int[] reads;

  /**
   * @param shown what EXPLAIN calls it
   * @param wanted the indexes of the outputs that somebody takes
   * @param inputs one for each of the program's, of its type
   */
  public CompiledModel(Program program, String shown, Set<Integer> wanted, List<Expression> inputs) {
    this(program, shown, wanted, inputs, false);
  }

  private CompiledModel(Program program, String shown, Set<Integer> wanted, List<Expression> inputs, boolean inPlace) {
    super(inputs);
    this.program = program;
    this.shown = shown;
    this.wanted = wanted;
    this.inPlace = inPlace;
  }

  /** Columns as the inputs of a program. */
  public static List<Expression> inputs(Program program, List<Expression> columns) {
    List<Expression> inputs = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      inputs.add(input(columns.get(i), program.inputs().get(i)));
    }
    return inputs;
  }

  /** The model's name in EXPLAIN. */
  public String shown() {
    return shown;
  }

  /** A column as the input of a type: a date as its days, a timestamp as its microseconds. */
  private static Expression input(Expression column, DataType type) {
    DataType actual = column.dataType();
    if (actual.equals(type)) {
      return column;
    }
    if (actual instanceof DateType) {
      return new UnixDate(column);
    }
    if (actual instanceof TimestampType || actual instanceof TimestampNTZType) {
      return new PreciseTimestampConversion(column, actual, type);
    }
    return Cast$.MODULE$.apply(column, type, actual instanceof NullType);
  }

  public Program program() {
    return program;
  }

  public Set<Integer> wanted() {
    return wanted;
  }

  public CompiledModel wanting(Set<Integer> numbers) {
    return new CompiledModel(program, shown, numbers, inputs(), inPlace);
  }

  /** The same, whose code stands where its value is taken. */
  public CompiledModel inPlace() {
    return new CompiledModel(program, shown, wanted, inputs(), true);
  }

  /** How many expressions a row is. */
  public int size() {
    return program.size(wanted, reads());
  }

  /** The canonical form of the call without its outputs: equal for calls of one model for the same columns. */
  public Expression rows() {
    return wanting(Set.of()).canonicalized();
  }

  @Override
  Calculation with(List<Expression> children) {
    return new CompiledModel(program, shown, wanted, children, inPlace);
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

  private int[] reads() {
    if (reads == null) {
      reads = program.reads(wanted);
    }
    return reads;
  }

  @Override
  public Object eval(InternalRow row) {
    List<Expression> inputs = inputs();
    int[] reads = reads();
    Object[] slots = new Object[inputs.size() + program.definitions().size()];
    GenericInternalRow known = new GenericInternalRow(slots);
    for (int i = 0; i < inputs.size(); i++) {
      Object value = inputs.get(i).eval(row);
      slots[i] = value instanceof Double number && number.isNaN() ? null : value;
    }
    for (int i = inputs.size(); i < slots.length; i++) {
      slots[i] = reads[i] > 0 ? program.definitions().get(i - inputs.size()).eval(known) : null;
    }
    if (program.present() != null && !Boolean.TRUE.equals(program.present().eval(known))) {
      return null;
    }
    double[] numbers = new double[program.numbers().size()];
    for (int index : wanted) {
      numbers[index] = (Double) program.numbers().get(index).eval(known);
    }
    return numbers;
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    return new ModelCodegen(context, program, wanted, reads()).of(code, inputs(), inPlace);
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
