import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sqlml.expressions.Forest;

/**
 * Scores rows with a packed forest whenever a line comes in: arguments are the files of the forest and of the rows
 * (little-endian doubles), and the rows' width. Answers the processor seconds of one pass and the sum of what it gave.
 */
public final class ForestKernel {
  private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

  public static void main(String[] arguments) throws Exception {
    Forest forest = Forest.of(Files.readAllBytes(Path.of(arguments[0])));
    byte[] bytes = Files.readAllBytes(Path.of(arguments[1]));
    int width = Integer.parseInt(arguments[2]);
    double[][] rows = new double[bytes.length / 8 / width][width];
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (double[] row : rows) {
      for (int i = 0; i < width; i++) {
        row[i] = in.getDouble();
      }
    }
    double[] out = new double[forest.outputs()];
    Forest.Scratch scratch = forest.scratch();
    while (System.in.read() >= 0) {
      long start = CLOCK.getCurrentThreadCpuTime();
      double sum = 0;
      for (double[] row : rows) {
        forest.score(row, scratch, out);
        sum += out[0];
      }
      System.out.println((CLOCK.getCurrentThreadCpuTime() - start) / 1e9 + " " + sum);
    }
  }
}
