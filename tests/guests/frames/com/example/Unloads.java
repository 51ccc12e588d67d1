package com.example;

import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;

/** Binds from classes that are loaded, used and unloaded, while the collector has much to do. */
public final class Unloads {
    /** Loaded again by each loader. */
    public static final class Binder {
        public static void bind() throws Exception {
            for (int i = 0; i < 20; i++)
                new ServerSocket(0).close(); // bind Unloads$Binder.bind
        }
    }

    private static final class Loader extends ClassLoader {
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.equals(Binder.class.getName()))
                return super.loadClass(name, resolve);
            String file = name.replace('.', '/') + ".class";
            try (InputStream stream = Unloads.class.getClassLoader().getResourceAsStream(file)) {
                byte[] bytes = stream.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (java.io.IOException problem) {
                throw new ClassNotFoundException(name, problem);
            }
        }
    }

    private static int loaded;
    private static int unloaded;

    private static synchronized void count(List<WeakReference<Class<?>>> classes) {
        loaded += classes.size();
        for (WeakReference<Class<?>> one : classes)
            if (one.get() == null)
                unloaded++;
    }

    private static void work(long end) {
        List<WeakReference<Class<?>>> classes = new ArrayList<>();
        List<byte[]> garbage = new ArrayList<>();
        try {
            while (System.nanoTime() < end) {
                Class<?> binder = new Loader().loadClass(Binder.class.getName());
                classes.add(new WeakReference<>(binder));
                binder.getMethod("bind").invoke(null);
                for (int i = 0; i < 50; i++)
                    garbage.add(new byte[10000]);
                if (garbage.size() > 1000)
                    garbage.clear();
                if (classes.size() % 100 == 0)
                    System.gc();
            }
        } catch (ReflectiveOperationException problem) {
            throw new IllegalStateException(problem);
        }
        count(classes);
    }

    public static void main(String[] arguments) throws Exception {
        long end = System.nanoTime() + Long.parseLong(arguments[0]) * 1_000_000_000L;
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> work(end), "worker");
            threads[i].start();
        }
        for (Thread thread : threads)
            thread.join();
        System.out.println(unloaded > loaded / 2 ? "unloaded" : "loaded " + loaded + " unloaded " + unloaded);
    }
}
