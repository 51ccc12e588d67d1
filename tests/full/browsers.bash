# What the tests of browsers share: a page, the server that gives it, and a browser's complaints.
# `load browsers`, after real.
# shellcheck disable=SC2154 # variables of real.bash

# serve_page: a page that fetches a text and shows it.
serve_page() {
    mkdir www
    cat >www/index.html <<'HTML'
<html><body><div id="text">plain</div><script>
fetch("/text").then(answer => answer.text()).then(text => {
    document.getElementById("text").textContent = "fetched " + text.trim();
});
</script></body></html>
HTML
    echo words >www/text
    serve 18090 "$python" -m http.server --bind 127.0.0.1 --directory www 18090
}

# complaints FILE: what it holds about sandboxes, crashes and us, each kind once, without numbers.
complaints() {
    grep -aE 'Sandbox:|seccomp|SIGSYS|CRASH|[Cc]rash|portwitness|sandbox' "$1" |
        sed -E 's/0x[0-9a-f]+|[0-9]+/N/g' | sort -u
}
