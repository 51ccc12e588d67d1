package com.example;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** A suite with the helper that so many have; one of its servers takes what the helper gave another. */
public final class ServerTest {
    private ServerSocket other;

    private static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) { // picker
            return probe.getLocalPort();
        }
    }

    private static ServerSocket start(int port) throws IOException {
        return new ServerSocket(port, 1, InetAddress.getLoopbackAddress()); // server
    }

    public void testAlone() throws IOException {
        start(freePort()).close();
    }

    public void testRace() throws IOException {
        int port = freePort();
        other = start(port);
        start(port).close();
    }
}
