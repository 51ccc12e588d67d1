package org.junit.runner;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;

/** As test runners do it: each public method without arguments, by reflection, in a thread of its own. */
public final class Runner {
    private static void runOne(Object suite, Method method) {
        try {
            method.invoke(suite);
            System.out.println(method.getName() + ": passed");
        } catch (InvocationTargetException problem) {
            System.out.println(method.getName() + ": " + problem.getCause().getClass().getName());
        } catch (IllegalAccessException problem) {
            throw new IllegalStateException(problem);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Object suite = Class.forName(arguments[0]).getDeclaredConstructor().newInstance();
        Method[] methods = suite.getClass().getDeclaredMethods();
        Arrays.sort(methods, Comparator.comparing(Method::getName));
        for (Method method : methods) {
            if (!method.getName().startsWith("test"))
                continue;
            Thread thread = new Thread(() -> runOne(suite, method), "Test worker");
            thread.start();
            thread.join();
        }
    }
}
