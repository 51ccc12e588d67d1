package shop;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Picks a port, waits until the other has, serves on it, and waits until the other has tried to. */
final class Service {
    private final String me;
    private final String other;

    Service(String me, String other) {
        this.me = me;
        this.other = other;
    }

    private static void waitFor(String what, String who) throws Exception {
        for (int i = 0; i < 4000 && !new File(what + "." + who).exists(); i++)
            Thread.sleep(5);
    }

    private static void both(String what, String me, String other) throws Exception {
        new File(what + "." + me).createNewFile();
        waitFor(what, other);
    }

    private static ServerSocket serve(int port) throws IOException {
        return new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    }

    void run() throws Exception {
        if (me.equals("checkout"))
            waitFor("picked", other);
        int port = "0".equals(System.getenv("RACY")) ? 0 : Ports.freePort();
        both("picked", me, other);
        try (ServerSocket server = serve(port)) {
            both("served", me, other);
        } finally {
            both("served", me, other);
        }
    }
}
