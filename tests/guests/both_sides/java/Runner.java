package org.junit.runner;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs every public method of the classes that are named, each in a thread of its own, as JUnit can. */
public final class Runner {
    private Runner() {
    }

    private static Callable<Boolean> test(Class<?> type, Method method) {
        return () -> {
            Thread.currentThread().setName(type.getSimpleName() + "." + method.getName());
            try {
                method.invoke(type.getDeclaredConstructor().newInstance());
                return true;
            } catch (ReflectiveOperationException failure) {
                System.out.println("FAILED " + type.getSimpleName() + "." + method.getName());
                return false;
            }
        };
    }

    public static void main(String[] names) throws Exception {
        List<Callable<Boolean>> tests = new ArrayList<>();
        for (String name : names)
            for (Method method : Class.forName(name).getDeclaredMethods())
                tests.add(test(Class.forName(name), method));
        ExecutorService threads = Executors.newFixedThreadPool(tests.size());
        boolean good = true;
        for (Future<Boolean> result : threads.invokeAll(tests))
            good &= result.get();
        threads.shutdown();
        System.exit(good ? 0 : 1);
    }
}
