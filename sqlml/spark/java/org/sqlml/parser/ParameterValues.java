package org.sqlml.parser;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.VariableReference;
import org.sqlml.common.Json;
import scala.Product;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The values of a query's parameters: spark.sql(text, args), EXECUTE IMMEDIATE … USING. Since 4.1 Spark's parser gets
 * them with the text, as a ParameterContext; its members are read by position here, because 4.0 has no such class.
 */
final class ParameterValues {
  private ParameterValues() {}

  /** The values among a parser method's arguments, as Handler.parse() takes them; null if there are none. */
  static String json(Object[] arguments) {
    if (arguments.length < 2 || !(arguments[1] instanceof Product context)) {
      return null;
    }
    Map<String, String> named = new LinkedHashMap<>();
    List<String> positional = new ArrayList<>();
    Object parameters = context.productElement(0);
    if (parameters instanceof scala.collection.Map<?, ?> values) {
      CollectionConverters.asJava(values).forEach((name, value) -> named.put((String) name, sql(value)));
    } else if (parameters instanceof Seq<?> values) {
      CollectionConverters.asJava(values).forEach(value -> positional.add(sql(value)));
      if (context.productArity() > 1 && context.productElement(1) instanceof Seq<?> names) {
        for (int i = 0; i < names.size() && i < positional.size(); i++) {
          named.put((String) names.apply(i), positional.get(i));
        }
      }
    }
    return named.isEmpty() && positional.isEmpty() ? null : json(named, positional);
  }

  static String json(Map<String, String> named, List<String> positional) {
    return Json.write(Map.of("named", named, "positional", positional));
  }

  /** The text of a value. Spark 4.0 binds a session variable itself, whose text is its name; what it holds is needed. */
  static String sql(Object value) {
    return value instanceof VariableReference variable
        ? new Literal(variable.eval(null), variable.dataType()).sql()
        : ((Expression) value).sql();
  }
}
