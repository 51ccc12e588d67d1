// The same as verbs.py, in Java: bind, connect and close of TCP. Java binds and listens in one call, sets
// SO_REUSEADDR by itself, and has IPv4 addresses on sockets of IPv6.
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashMap;
import java.util.Map;

class Verbs {
    static final Map<String, Closeable> sockets = new HashMap<>();

    static String bind(String name, String address, int port) throws IOException {
        ServerSocket server = new ServerSocket();
        server.bind(new InetSocketAddress(address, port));
        sockets.put(name, server);
        return "ok " + server.getLocalPort();
    }

    static String connect(String name, String address, int port) throws IOException {
        Socket client = new Socket(address, port);
        sockets.put(name, client);
        return "ok " + client.getLocalPort();
    }

    static String obey(String[] words) throws IOException {
        switch (words[0]) {
        case "bind":
            return bind(words[1], words[3], Integer.parseInt(words[4]));
        case "connect":
            return connect(words[1], words[2], Integer.parseInt(words[3]));
        case "close":
            sockets.remove(words[1]).close();
            return "ok";
        case "listen":
            return "ok"; // it does already
        default:
            System.exit(Integer.parseInt(words[1]));
            return "";
        }
    }

    // Java has no names of errors.
    static String answer(String[] words) {
        try {
            return obey(words);
        } catch (BindException refused) {
            return "EADDRINUSE";
        } catch (ConnectException refused) {
            return "ECONNREFUSED";
        } catch (IOException error) {
            return error.toString();
        }
    }

    public static void main(String[] arguments) throws IOException {
        BufferedReader told = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("ok " + ProcessHandle.current().pid());
        for (String line = told.readLine(); line != null; line = told.readLine())
            System.out.println(answer(line.split(" ")));
    }
}
