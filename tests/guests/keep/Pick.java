import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Picks numbers by a ServerSocket that is closed again, and hands them on: Pick WAY COUNT, "argument" or
 * "file"; Pick serve PORT... says "bound" or "lost".
 */
public class Pick {
    static int pick() throws IOException {
        try (ServerSocket one = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            return one.getLocalPort();
        }
    }

    static String serve(int port) throws IOException {
        try (ServerSocket one = new ServerSocket()) {
            one.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return "bound";
        } catch (java.net.BindException problem) {
            return "lost";
        }
    }

    static void start(List<String> ports) throws Exception {
        List<String> words = new ArrayList<>(List.of(ProcessHandle.current().info().command().get(),
            "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"), "Pick",
            "serve"));
        words.addAll(ports);
        new ProcessBuilder(words).inheritIO().start().waitFor();
    }

    public static void main(String[] words) throws Exception {
        if (words[0].equals("serve")) {
            for (int i = 1; i < words.length; i++) {
                System.out.println(serve(Integer.parseInt(words[i])));
            }
            return;
        }
        List<String> ports = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(words[1]); i++) {
            ports.add(Integer.toString(pick()));
        }
        if (words[0].equals("file")) {
            Path file = Path.of("number");
            Files.writeString(file, String.join(" ", ports));
            ports = List.of(Files.readString(file).split(" "));
        }
        start(ports);
    }
}
