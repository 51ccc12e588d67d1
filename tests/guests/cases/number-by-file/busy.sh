# Read by the other scripts: the test that asks for ports meanwhile. It is told and heard by two pipes.
mkfifo told says
exec 8<>told 9<>says
take() { # the number that stands in the file
    python3 tool.py busy <&8 >&9 8>&- &
    cat "$1" >&8
    read -r _ <&9 # taken
}
end() {
    echo >&8
    wait $!
    exit "$1"
}
