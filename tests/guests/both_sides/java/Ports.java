package shop;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Picks a port that is free now. */
final class Ports {
    private Ports() {
    }

    static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }
}
