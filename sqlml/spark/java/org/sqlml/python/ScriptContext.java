package org.sqlml.python;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.function.Supplier;
import org.sqlml.common.SneakyThrow;
import scala.Option;
import scala.runtime.AbstractFunction0;

/**
 * The script that a thread of Spark's runs, whose variables a query sees only on that thread; lends them to another one.
 *
 * <p>By reflection: Spark 4.0 has no such class. There a script's variables are the session's, which every thread sees.
 */
final class ScriptContext {
  private static final Object MANAGER = manager();

  private final Object handle;

  private ScriptContext(Object handle) {
    this.handle = handle;
  }

  static ScriptContext ofThisThread() {
    if (MANAGER == null) {
      return new ScriptContext(null);
    }
    Option<?> context = (Option<?>) called(MANAGER, "get");
    return new ScriptContext(context.isEmpty() ? null : called(MANAGER, "createHandle", context));
  }

  /** Something done on this thread as if the script ran on it. */
  @SuppressWarnings("unchecked")
  <T> T call(Supplier<T> work) {
    if (handle == null) {
      return work.get();
    }
    return (T)
        called(
            handle,
            "runWith",
            new AbstractFunction0<T>() {
              @Override
              public T apply() {
                return work.get();
              }
            });
  }

  private static Object manager() {
    try {
      Class<?> manager = Class.forName("org.apache.spark.sql.catalyst.SqlScriptingContextManager$");
      return manager.getField("MODULE$").get(null);
    } catch (ClassNotFoundException e) {
      return null;
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static Object called(Object on, String name, Object... arguments) {
    try {
      for (Method method : on.getClass().getMethods()) {
        if (method.getName().equals(name) && method.getParameterCount() == arguments.length) {
          return method.invoke(on, arguments);
        }
      }
      throw new IllegalStateException(on.getClass() + " has no method " + name);
    } catch (InvocationTargetException e) {
      throw SneakyThrow.of(e.getCause());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }
}
