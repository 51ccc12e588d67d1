# What the README shows is what the program does. manual.bats does the same for the manual.

# shellcheck disable=SC2154 # setup.bash sets build and root
load setup

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

# A README with one block, its kind given and its lines on stdin, held against what it prints.
check_block() {
    { echo "\`\`\`$1"; cat; echo '```'; } >README.md
    README=$PWD/README.md run "$root/scripts/readme" --check
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

@test "the README shows what its commands print" {
    run "$root/scripts/readme" --check
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "another count, a line too many or too few fail, and the fix is named" {
    check_block console <<<$'$ echo 4 ports\n5 ports'
    [ "$status" -eq 1 ]
    [[ $output == *'-5 ports'*'+4 ports'*'run scripts/readme to write it anew'* ]]
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

@test "the README is written anew, with what it leaves out left out, and nothing else is changed" {
    printf '%s\n' 'Text with 4 ports.' '' '```console' '$ seq 3' '2' '$ seq 5' '1' '...' '5' '```' \
        'More text.' >README.md
    README=$PWD/README.md "$root/scripts/readme"
    printf '%s\n' 'Text with 4 ports.' '' '```console' '$ seq 3' '1' '2' '3' '$ seq 5' '1' '...' \
        '5' '```' 'More text.' >expected
    diff expected README.md
}

@test "every block of the README that shows output is run" {
    [ "$(grep -c '^```console$' "$root/README.md")" -ge 5 ]
    run grep -A 1 '<!-- readme: not run' "$root/README.md"
    [ "$status" -eq 0 ]
    [[ $output != *'```console'* ]]
}

@test "the files and folders that the README names exist" {
    cd "$root"
    local path count=0
    while read -r path; do
        count=$((count + 1))
        [ -e "$path" ] || { echo "no $path" >&2; false; }
    done < <(grep -oE '[`(](shim|harness|tests|docs|scripts)/[A-Za-z0-9_./-]+' README.md | tr -d '`(' |
        sort -u)
    [ "$count" -gt 10 ]
}

@test "the README names each way in which an end is known" {
    names_in harness/cli/ports_command.c 'static const char \*end_name' >ends
    assert_equal "$(wc -l <ends)" 8
    assert_each_in "$(cat "$root/README.md")" <ends
}
