# What the README and the pages of docs/ show is what the program does. manual.bats does the same for
# the manual.

# shellcheck disable=SC2154 # common.bash sets build and root
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

# A page with one block, its kind given and its lines on stdin, held against what it prints.
check_block() {
    { echo "\`\`\`$1"; cat; echo '```'; } >README.md
    run "$root/scripts/readme" --check README.md
}

# The README and the pages, a name a line, as seen from the top.
pages() {
    (cd "$root" && ls README.md && find docs -name '*.md' | sort)
}

# Fails, and names it, for each line of stdin that does not stand in a text as a word of its own.
assert_each_in() {
    local text=$1 word count=0 missing=0
    while IFS= read -r word; do
        count=$((count + 1))
        [[ $text =~ (^|[^[:alnum:]_-])"$word"($|[^[:alnum:]_-]) ]] ||
            { echo "not in the text: $word" >&2; missing=$((missing + 1)); }
    done
    [ "$count" -gt 0 ]
    assert_equal "$missing" 0
}

# The strings in a table of a C file, from the line that a pattern matches on.
names_in() {
    sed -n "/$2/,/^ *};/p" "$root/$1" | grep -o '"[^"]*"' | tr -d '"'
}

@test "the README and the pages show what their commands print" {
    run "$root/scripts/readme" --check
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "another count, a line too many or too few fail, and the fix is named" {
    check_block console <<<$'$ echo 4 ports\n5 ports'
    [ "$status" -eq 1 ]
    [[ $output == *'-5 ports'*'+4 ports'*'run scripts/readme to rewrite it'* ]]
    check_block console <<<'$ echo 4 ports'
    [ "$status" -eq 1 ]
    check_block console <<<$'$ true\n4 ports'
    [ "$status" -eq 1 ]
    check_block console <<<$'$ true\n...\n4 ports'
    [ "$status" -eq 1 ]
    check_block sh <<<'false'
    [ "$status" -eq 1 ]
}

@test "other ports, pids, times and widths do not fail" {
    check_block console <<<$'$ echo " 51234  12  0.31 s  127.0.0.1"\n  1024  4711  12.5 s  127.0.0.1'
    [ "$status" -eq 0 ]
    check_block console <<<$'$ seq 5\n1\n...\n5'
    [ "$status" -eq 0 ]
    check_block console <<<$'$ echo 127.0.0.1\n127.0.0.2'
    [ "$status" -eq 1 ]
}

@test "the README is written again, with what it leaves out left out, and nothing else is changed" {
    printf '%s\n' 'Text with 4 ports.' '' '```console' '$ seq 3' '2' '$ seq 5' '1' '...' '5' '```' \
        'More text.' >README.md
    "$root/scripts/readme" README.md
    printf '%s\n' 'Text with 4 ports.' '' '```console' '$ seq 3' '1' '2' '3' '$ seq 5' '1' '...' \
        '5' '```' 'More text.' >expected
    diff expected README.md
}

@test "where the machine shows in a line, the line stays as it is while the rest is written again" {
    printf '%s\n' '<!-- readme: keep ^/.* -->' '```console' '$ echo 3; pwd' '2' '/usr/bin' '```' >README.md
    "$root/scripts/readme" README.md
    printf '%s\n' '<!-- readme: keep ^/.* -->' '```console' '$ echo 3; pwd' '3' '/usr/bin' '```' >expected
    diff expected README.md
}

@test "where the machine shows in a part of a line, that part stays and the rest is written again" {
    printf '%s\n' '<!-- readme: keep in \S+$ -->' '```console' '$ echo b 7 in there; echo 3' 'a 7 in here' \
        '2' '```' >README.md
    "$root/scripts/readme" README.md
    assert_equal "$(sed -n '4,5p' README.md)" 'b 7 in there
3'
    printf '%s\n' '<!-- readme: keep in \S+$ -->' '```console' '$ echo 77 in there; echo 3' '66 in here' \
        '2' '```' >README.md
    "$root/scripts/readme" README.md
    assert_equal "$(sed -n '4,5p' README.md)" '77 in here
3'
}

@test "a block in a list, and the files of another page" {
    printf '%s\n' '<!-- readme: file word -->' '```text' 'seen' '```' >first.md
    printf '%s\n' '<!-- readme: files of first.md -->' '1. So:' '' '   ```console' '   $ cat word' \
        '   unseen' '   ```' >second.md
    run "$root/scripts/readme" --check second.md
    [ "$status" -eq 1 ]
    [[ $output == *'-   unseen'*'+   seen'* ]]
    "$root/scripts/readme" second.md
    grep -qx '   seen' second.md
    "$root/scripts/readme" --check first.md second.md
}

@test "all pages are looked at, and a page that shows something else is named" {
    "$root/scripts/readme" --list >listed
    diff <(pages) listed
    [ "$(wc -l <listed)" -ge 12 ]
    sed 's/^b tcp6  .*ok$/b tcp6 EBADF/' "$root/docs/guide/explain.md" >explain.md
    run diff -q "$root/docs/guide/explain.md" explain.md
    [ "$status" -eq 1 ]
    run "$root/scripts/readme" --check "$root/docs/guide/limits.md" explain.md
    [ "$status" -eq 1 ]
    [[ $output == *'-b tcp6 EBADF'*'+b tcp6'*'explain.md shows other output; run scripts/readme'* ]]
    [[ $output != *limits.md* ]]
}

@test "every block that shows output is run" {
    cd "$root"
    local page count=0
    [ "$(grep -c '^```console$' README.md)" -ge 1 ]
    [ "$(pages | xargs cat | grep -c '^```console$')" -ge 15 ]
    while read -r page; do
        run grep -A 1 '<!-- readme: not run' "$page"
        [[ $output != *'```console'* ]] || { echo "a block of $page" >&2; false; }
        count=$((count + status))
    done < <(pages)
    [ "$count" -lt "$(pages | wc -l)" ]
}

@test "the README has at most 150 lines, and how to run the tests" {
    [ "$(wc -l <"$root/README.md")" -le 150 ]
    grep -q '^scripts/test ' "$root/README.md"
}

# How-tos name files that their reader is to write.
@test "the files and folders that the README and the pages name exist" {
    cd "$root"
    local path count=0
    while read -r path; do
        count=$((count + 1))
        [ -e "$path" ] || [ -e "$path.c" ] || { echo "no $path" >&2; false; }
    done < <(pages | grep -v '^docs/howto/' | xargs cat |
        grep -oE '[`(](shim|harness|tests|docs|scripts)/[A-Za-z0-9_./-]+' | tr -d '`(' |
        grep -v NAME | sort -u)
    [ "$count" -gt 10 ]
}

@test "links between the pages lead somewhere" {
    cd "$root"
    local names
    mapfile -t names < <(pages; ls ./*.md)
    run python3 - "${names[@]}" <<'PYTHON'
import os, re, sys

def anchors(path):
    """The names that headings have as targets of links."""
    with open(path, encoding="utf-8") as text:
        outside = re.sub(r"^ *```.*?^ *```$", "", text.read(), flags=re.M | re.S)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", outside, re.M)}

links = wrong = 0
for page in sys.argv[1:]:
    with open(page, encoding="utf-8") as text:
        outside = re.sub(r"^ *```.*?^ *```$", "", text.read(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", outside):
        if re.match(r"[a-z]+:", target):
            continue
        links += 1
        path, _, anchor = target.partition("#")
        path = os.path.join(os.path.dirname(page), path) if path else page
        if not os.path.exists(path) or anchor and anchor not in anchors(path):
            wrong += 1
            print(f"{page}: nothing at {target}")
print(f"{links} links")
sys.exit(wrong > 0 or links < 20)
PYTHON
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the guide names each way in which an end is known" {
    names_in harness/report/ports_report.c 'static const char \*end_name' >ends
    assert_equal "$(wc -l <ends)" 8
    assert_each_in "$(cat "$root/docs/guide/ports-and-export.md")" <ends
}
