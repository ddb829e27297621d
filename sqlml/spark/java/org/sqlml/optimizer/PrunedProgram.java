package org.sqlml.optimizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.WeakHashMap;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.sqlml.common.SoftLruCache;
import org.sqlml.common.TreeTransform;
import org.sqlml.expressions.ForestScores;
import org.sqlml.expressions.Program;
import org.sqlml.expressions.SlotReference;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The residual program of a partial evaluation: a model for rows of which something is known.
 *
 * @param inputs indexes of the inputs that it still has
 * @param splits how many splits its trees have
 * @param before how many they had
 */
record PrunedProgram(Program program, List<Integer> inputs, int splits, int before) {
  /** The size of the cache of one program. */
  private static final int MOST = 8;

  private static final Map<Program, SoftLruCache<List<ValueDomain>, PrunedProgram>> MADE = new WeakHashMap<>();

  /** The same object for equal domains, so that two calls stay equal. */
  static synchronized PrunedProgram of(Program program, List<ValueDomain> inputs) {
    SoftLruCache<List<ValueDomain>, PrunedProgram> made = MADE.computeIfAbsent(program, key -> new SoftLruCache<>(MOST));
    PrunedProgram found = made.get(inputs);
    if (found == null) {
      found = pruned(program, inputs);
      made.put(inputs, found);
    }
    return found;
  }

  private static PrunedProgram pruned(Program program, List<ValueDomain> known) {
    List<PartialEvaluation> slots = new ArrayList<>();
    for (int i = 0; i < known.size(); i++) {
      ValueDomain domain = known.get(i);
      var type = program.inputs().get(i);
      slots.add(
          new PartialEvaluation(domain.isConstant() ? domain.literal(type) : new SlotReference(i, type, true), domain));
    }
    List<Expression> written = new ArrayList<>();
    for (int i = 0; i < program.definitions().size(); i++) {
      Expression definition = program.definitions().get(i);
      PartialEvaluation found = PartialEvaluation.of(definition, slots);
      written.add(found.expression());
      boolean plain = found.expression().children().isEmpty(); // a literal, or another slot
      SlotReference slot = new SlotReference(slots.size(), definition.dataType(), program.nullable().get(i));
      slots.add(plain ? found : new PartialEvaluation(slot, found.domain()));
    }
    List<Expression> numbers = new ArrayList<>();
    program.numbers().forEach(number -> numbers.add(PartialEvaluation.of(number, slots).expression()));
    Expression present = program.present() == null ? null : PartialEvaluation.of(program.present(), slots).expression();
    return assembled(program, written, numbers, present);
  }

  /** With what is read, under new numbers. */
  private static PrunedProgram assembled(
      Program program, List<Expression> written, List<Expression> numbers, Expression present) {
    int inputs = program.inputs().size();
    TreeSet<Integer> read = new TreeSet<>();
    numbers.forEach(number -> collect(number, read));
    if (present != null) {
      collect(present, read);
    }
    for (int i = written.size() - 1; i >= 0; i--) {
      if (read.contains(inputs + i)) {
        collect(written.get(i), read);
      }
    }
    Map<Integer, Integer> indexes = new HashMap<>();
    read.forEach(slot -> indexes.put(slot, indexes.size()));
    List<Integer> kept = new ArrayList<>(read.headSet(inputs));
    List<Expression> definitions = new ArrayList<>();
    List<Boolean> nullable = new ArrayList<>();
    for (int slot : read.tailSet(inputs)) {
      definitions.add(moved(written.get(slot - inputs), indexes));
      nullable.add(program.nullable().get(slot - inputs));
    }
    Program made =
        new Program(
            kept.stream().map(program.inputs()::get).toList(),
            definitions,
            nullable,
            numbers.stream().map(number -> moved(number, indexes)).toList(),
            present == null ? null : moved(present, indexes),
            program.labels());
    return new PrunedProgram(made, kept, splits(made), splits(program));
  }

  private static void collect(Expression expression, TreeSet<Integer> read) {
    if (expression instanceof SlotReference slot) {
      read.add(slot.ordinal());
    }
    CollectionConverters.asJava(expression.children()).forEach(child -> collect(child, read));
  }

  private static Expression moved(Expression expression, Map<Integer, Integer> indexes) {
    return expression.transformUp(
        TreeTransform.by(
            node ->
                node instanceof SlotReference slot
                    ? new SlotReference(indexes.get(slot.ordinal()), slot.dataType(), slot.nullable())
                    : null));
  }

  /** Whether there are trees to cut. */
  static boolean asks(Program program) {
    return splits(program) > 0;
  }

  private static int splits(Program program) {
    int sum = 0;
    for (Expression definition : program.definitions()) {
      sum += splits(definition);
    }
    return sum;
  }

  private static int splits(Expression expression) {
    int sum = expression instanceof ForestScores scores ? scores.forest().splits() : 0;
    for (Expression child : CollectionConverters.asJava(expression.children())) {
      sum += splits(child);
    }
    return sum;
  }
}
