<?php
// Many binds: says whether the process has grown by more than 1 MiB since the first tenth.
function rounds(int $count) {
    for ($i = 0; $i < $count; $i++) {
        fclose(stream_socket_server("udp://127.0.0.1:0", $code, $text, STREAM_SERVER_BIND)); // bind -
    }
}

function size(): int {
    return (int)preg_replace('/.*RssAnon:\s*(\d+).*/s', '$1', file_get_contents("/proc/self/status"));
}

$count = (int)$argv[1];
rounds(intdiv($count, 10));
$before = size();
rounds($count - intdiv($count, 10));
echo size() - $before < 1024 ? "as large as before" : "grown by " . (size() - $before) . " KiB", "\n";
