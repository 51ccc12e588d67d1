package com.example;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.channels.AsynchronousServerSocketChannel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Asks for ports in the ways that Java has. Behind each line that does stands what the trace must say
 * of it: the call, the method and the thread.
 */
public final class Places {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    static final class Initialised {
        static final int PORT;

        static {
            try (ServerSocket socket = new ServerSocket(0)) { // bind Places$Initialised.<clinit> main
                PORT = socket.getLocalPort();
            } catch (Exception problem) {
                throw new ExceptionInInitializerError(problem);
            }
        }
    }

    private static int refusals;

    private static void byNumber(int port) throws Exception {
        try {
            new ServerSocket(port).close(); // bind Places.byNumber main
        } catch (BindException expected) {
            refusals++;
        }
    }

    private static void sockets() throws Exception {
        ServerSocket server = new ServerSocket(0, 5, LOOPBACK); // bind Places.sockets main
        byNumber(server.getLocalPort());
        new Socket(LOOPBACK, server.getLocalPort()).close(); // connect Places.sockets main
        server.close();
        new DatagramSocket(0).close(); // bind Places.sockets main
    }

    private static void channels() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open();
                SocketChannel client = SocketChannel.open();
                DatagramChannel datagrams = DatagramChannel.open();
                AsynchronousServerSocketChannel other = AsynchronousServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(LOOPBACK, 0)); // bind Places.channels main
            client.connect(server.getLocalAddress()); // connect Places.channels main
            datagrams.bind(new InetSocketAddress(LOOPBACK, 0)); // bind Places.channels main
            other.bind(null); // bind Places.channels main
        }
    }

    private static void threads() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(1);
        pool.submit(() -> {
            new ServerSocket(0).close(); // bind Places.lambda$threads$0 pool-1-thread-1
            return null;
        }).get();
        pool.shutdown();
        Thread named = new Thread("a name of its own") {
            @Override
            public void run() {
                try {
                    new ServerSocket(0).close(); // bind Places$1.run a name of its own
                } catch (Exception problem) {
                    throw new IllegalStateException(problem);
                }
            }
        };
        named.start();
        named.join();
    }

    private static void atTheEnd() {
        try {
            new ServerSocket(0).close(); // bind Places.atTheEnd hook
        } catch (Exception problem) {
            problem.printStackTrace();
        }
    }

    private static void deep(int depth) throws Exception {
        if (depth > 0)
            deep(depth - 1);
        else
            new ServerSocket(0).close(); // bind Places.deep main
    }

    /** A hundred frames of the class library between the call, which is refused, and the user's line. */
    private static void nested() throws Exception {
        Method invoke = Method.class.getMethod("invoke", Object.class, Object[].class);
        Method method = ServerSocket.class.getMethod("bind", SocketAddress.class);
        try (ServerSocket holder = new ServerSocket(0, 1, LOOPBACK); // bind Places.nested main
                ServerSocket server = new ServerSocket()) {
            Object target = server;
            Object[] arguments = {holder.getLocalSocketAddress()};
            for (int i = 0; i < 30; i++) {
                arguments = new Object[] {target, arguments};
                target = method;
                method = invoke;
            }
            method.invoke(target, arguments); // bind Places.nested main
        } catch (InvocationTargetException expected) {
            refusals++;
        }
    }

    public static void byReflection() throws Exception {
        new ServerSocket(0).close(); // bind Places.byReflection main
    }

    public static void main(String[] arguments) throws Exception {
        Runtime.getRuntime().addShutdownHook(new Thread(Places::atTheEnd, "hook"));
        sockets();
        channels();
        threads();
        deep(300);
        nested();
        Places.class.getMethod("byReflection").invoke(null);
        System.out.println(Initialised.PORT > 0 ? "initialised" : "not initialised");
        System.out.println("refusals: " + refusals);
    }
}
