<?php
// Makes calls in many places; a comment behind a line says what the trace must have of it. A line has no
// function, "-"; "none" where there must be no frame.
function free_port() {
    $server = stream_socket_server("tcp://127.0.0.1:0"); // bind,listen -
    return (int)substr(strrchr(stream_socket_get_name($server, false), ":"), 1);
}

class Server {
    public function __construct() {
        fclose(stream_socket_server("tcp://127.0.0.1:0")); // bind,listen -
    }

    public static function refused(int $port) {
        return @stream_socket_server("tcp://127.0.0.1:$port"); // bind -
    }

    public function __destruct() {
        stream_socket_server("udp://127.0.0.1:0", $code, $text, STREAM_SERVER_BIND); // bind -
    }
}

$port = free_port();
$server = new Server();
$taken = stream_socket_server("tcp://127.0.0.1:$port"); // bind,listen -
var_dump(Server::refused($port));
$client = stream_socket_client("tcp://127.0.0.1:$port"); // connect -
array_map(function ($uri) {
    return stream_socket_server($uri); // bind,listen -
}, ["tcp://127.0.0.1:0"]);

function generated() {
    yield stream_socket_server("tcp://127.0.0.1:0"); // bind,listen -
}
foreach (generated() as $made)
    fclose($made);

$fiber = new Fiber(function () {
    Fiber::suspend(stream_socket_server("tcp://127.0.0.1:0")); // bind,listen -
});
$fiber->start();

try {
    try {
        throw new Exception("on the way");
    } finally {
        fclose(stream_socket_server("tcp://127.0.0.1:0")); // bind,listen -
    }
} catch (Exception $error) {
    echo $error->getMessage(), "\n";
}

pcntl_async_signals(true);
pcntl_signal(SIGUSR1, function () {
    fclose(stream_socket_server("tcp://127.0.0.1:0")); // bind,listen none
});
posix_kill(posix_getpid(), SIGUSR1);

$child = pcntl_fork();
if ($child === 0) {
    fclose(stream_socket_server("tcp://127.0.0.1:0")); // bind,listen -
    posix_kill(posix_getpid(), SIGKILL);
}
pcntl_waitpid($child, $status);

register_shutdown_function(function () {
    fclose(stream_socket_server("tcp://127.0.0.1:0")); // bind,listen -
});
