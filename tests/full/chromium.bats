# Chromium, whose processes put seccomp filters on themselves.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    load browsers
    real_setup
    needs chromium
}

teardown() { real_teardown; }

# visit COMMAND...: Chromium, by this command, shows the page with what its script has fetched.
visit() {
    answer "$@" --headless --disable-gpu --user-data-dir="$PWD/profile" \
        --virtual-time-budget=10000 --dump-dom http://127.0.0.1:18090/ 2>complained
    complaints complained
}

# with_page COMMAND...
with_page() {
    serve_page
    visit "$@"
    served
}

sandboxed() { with_page chromium; }
unsandboxed() { with_page chromium --no-sandbox; }

# The scenario is root's, and the browser an ordinary user.
dropped() {
    mkdir profile
    chown 65534:65534 profile
    with_page "${nobody[@]}" env HOME="$PWD/profile" chromium
}

# Chromium does not take root for a user to be sandboxed. In a user namespace root may have another
# number, while it still is root for everything outside.
renamed_root() { with_page unshare --user --map-user=1000 --map-group=1000 chromium; }

@test "Chromium in its sandbox, as an ordinary user" {
    as=("${nobody[@]}")
    under_all sandboxed 'fetched words'
    recorded_port 18090
}

@test "Chromium in its sandbox, as an ordinary user below root" {
    bare dropped 'fetched words'
    like_bare dropped --shared
    like_bare dropped --shared --policy soonest
}

@test "Chromium in its sandbox, as root" {
    under_all renamed_root 'fetched words'
}

@test "Chromium without its sandbox, as root, and its refusal to sandbox root" {
    under_all unsandboxed 'fetched words'
    under_all sandboxed 'chromium: status 1'
}
