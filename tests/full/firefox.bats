# Firefox, which sandboxes its processes and says what it refused them.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    load browsers
    real_setup
    needs firefox-esr
}

teardown() { real_teardown; }

# The width and the height of a picture stand at a fixed place of a PNG.
size_of() { od -An -t u1 -j 16 -N 8 "$1"; }

pictured() {
    serve_page
    mkdir profile
    MOZ_SANDBOX_LOGGING=1 answer firefox-esr --headless --no-remote --profile "$PWD/profile" \
        --screenshot "$PWD/picture.png" --window-size 400,300 http://127.0.0.1:18090/ \
        >said 2>&1
    tail -n 1 said
    head -c 8 picture.png | od -An -c
    size_of picture.png
    complaints said
    served
    grep -o '"GET / .*' server.log
}

@test "Firefox makes a picture of a page, as an ordinary user" {
    as=("${nobody[@]}")
    under_all pictured 'firefox-esr: status 0'
    recorded_port 18090
}

@test "Firefox makes a picture of a page, as root" {
    under_all pictured 'firefox-esr: status 0'
    recorded_port 18090
}
