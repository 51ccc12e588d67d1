package com.example;

import java.net.ServerSocket;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Has the virtual machine's own file mapped to read it, as profilers do, while it binds. */
public final class ReadsMachine {
    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(System.getProperty("java.home"), "lib", "server", "libjvm.so");
        MappedByteBuffer mapped;
        try (FileChannel channel = FileChannel.open(file)) {
            mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
        }
        new ServerSocket(0).close();
        System.out.println(mapped.get(1) + " " + mapped.get(2) + " " + mapped.get(3));
    }
}
