import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Locale;
import org.apache.spark.sql.catalyst.parser.ParserInterface;
import org.apache.spark.sql.execution.SparkSqlParser;
import org.sqlml.parser.SqlmlParser;

/** Times Spark's parser alone and behind ours, in turns, on texts that are none of ours. Prints the seconds of every round. */
public final class ParserOverhead {
  /** Processor time of this thread, which other programs on the machine disturb less than they do the time of day. */
  private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

  private static final String[] TEXTS = {
    "SELECT 1",
    "SELECT o.id, sum(o.amount) AS total FROM orders o JOIN customers c ON o.customer = c.id"
        + " WHERE c.country = 'NL' AND o.day >= DATE'2024-01-01' GROUP BY o.id HAVING sum(o.amount) > 10 ORDER BY 2",
  };

  public static void main(String[] arguments) throws Exception {
    int parses = Integer.parseInt(arguments[0]);
    int rounds = Integer.parseInt(arguments[1]);
    ParserInterface stock = new SparkSqlParser();
    ParserInterface ours = SqlmlParser.over(null, stock);
    for (String text : TEXTS) {
      time(stock, text, 3 * parses);
      time(ours, text, 3 * parses);
      double[][] seconds = new double[2][rounds];
      for (int round = 0; round < rounds; round++) {
        // Who goes first changes, so that a slowing machine favours neither.
        boolean stockFirst = round % 2 == 0;
        seconds[stockFirst ? 0 : 1][round] = time(stockFirst ? stock : ours, text, parses);
        seconds[stockFirst ? 1 : 0][round] = time(stockFirst ? ours : stock, text, parses);
      }
      System.out.printf(
          Locale.ROOT, "%s\t%s\t%s%n", text, Arrays.toString(seconds[0]), Arrays.toString(seconds[1]));
    }
  }

  private static double time(ParserInterface parser, String text, int parses) throws Exception {
    long start = CLOCK.getCurrentThreadCpuTime();
    for (int i = 0; i < parses; i++) {
      parser.parsePlan(text);
    }
    return (CLOCK.getCurrentThreadCpuTime() - start) / 1e9;
  }
}
