package com.example;

import java.net.ServerSocket;

/** Ends while its threads bind; some of them are daemons. */
public final class Exits {
    private static volatile boolean isBound;

    private static void bind() {
        try {
            for (;;) {
                new ServerSocket(0).close();
                isBound = true;
            }
        } catch (java.io.IOException problem) {
            throw new IllegalStateException(problem);
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < 6; i++) {
            Thread thread = new Thread(Exits::bind);
            thread.setDaemon(i % 2 == 0);
            thread.start();
        }
        while (!isBound)
            Thread.onSpinWait();
        Thread.sleep(Long.parseLong(arguments[0]));
        if (arguments[1].equals("halt"))
            Runtime.getRuntime().halt(7);
        System.exit(7);
    }
}
