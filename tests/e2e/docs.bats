# What the documents name is there: files of the tree, and what links lead to.

# shellcheck disable=SC2154,SC2016 # common.bash sets root; backticks in quotes
load ../common

setup() { cd "$root" || return; }

# The documents of a folder, and those beside it at the top level.
documents() {
    find . -maxdepth 1 -name '*.md'
    find docs -name '*.md'
}

# Files of the tree that documents name in backticks: a path with a folder and an extension. Words
# with white space, wildcards or variables are none, nor are absolute paths and what is built.
named_files() {
    sed '/^ *```/,/^ *```/d' "$@" | grep -o '`[^` ]*`' | tr -d '`' |
        grep -E '^[A-Za-z.][A-Za-z0-9_.-]*/[A-Za-z0-9_./-]*\.[a-zA-Z0-9]+$' | grep -v '^build/' | sort -u
}

# What the links of documents lead to, without those to other hosts and to headings.
linked_files() {
    grep -ohE '\]\([^)]+\)' "$@" | sed 's/^](//; s/)$//; s/#.*//' | grep -vE '^([a-z]+:|$)' | sort -u
}

# missing_of DOCUMENT...: a line for each file that is named or linked, and not there.
missing_of() {
    local document file folder
    for document; do
        folder=${document%/*}
        while IFS= read -r file; do
            [ -e "$file" ] || echo "$document names $file, which is not there"
        done < <(named_files "$document")
        while IFS= read -r file; do
            [ -e "$folder/$file" ] || echo "$document links to $file, which is not there"
        done < <(linked_files "$document")
    done
}

@test "every file that a document names is there, and every link leads to one" {
    mapfile -t all < <(documents)
    [ "${#all[@]}" -gt 10 ]
    [ "$(named_files "${all[@]}" | wc -l)" -gt 50 ]
    [ "$(linked_files "${all[@]}" | wc -l)" -gt 20 ]
    assert_equal "$(missing_of "${all[@]}")" ''
}

# tests/e2e/howto.bats builds and runs them.
@test "the patches of the how-tos apply, each to this tree" {
    local patch count=0
    for patch in docs/howto/*.patch; do
        git apply --check --whitespace=error "$patch"
        count=$((count + 1))
    done
    assert_equal "$count" "$(find docs/howto -name '*.md' | wc -l)"
}

@test "a file that is gone and a link to nowhere are named; what is no file is not" {
    local page=$BATS_TEST_TMPDIR/page.md
    cat >"$page" <<'PAGE'
`shim/gone.c`, `shim/*.c`, `build/none.so`, `/etc/none.conf`, `and/or`, [a link](gone.md#part),
[another](https://example.org/none.md), [a heading](#part)

```sh
cat `shim/shown.c`
```
PAGE
    assert_equal "$(missing_of "$page")" "$page names shim/gone.c, which is not there
$page links to gone.md, which is not there"
}

@test "the index of docs names each document" {
    local document
    while IFS= read -r document; do
        grep -qF "(${document#docs/})" docs/README.md || { echo "not in the index: $document"; false; }
    done < <(find docs -name '*.md' ! -path docs/README.md)
}

@test "each rule of the model stands in the document about it" {
    local rule
    while IFS= read -r rule; do
        grep -qF "| \`$rule\` |" docs/bind-model.md || { echo "not mentioned: $rule"; false; }
    done < <(sed -n 's/^ *\[RULE_[A-Z_]*\] = *{"\([a-z0-9-]*\)".*/\1/p' harness/model/rules.c | grep -vx none)
}

@test "each finding stands in the document about them" {
    local finding
    while IFS= read -r finding; do
        grep -qF "\`$finding\`" docs/semantics.md || { echo "not mentioned: $finding"; false; }
    done < <(sed -n 's/^ *\[FINDING_[A-Z_]*\] = {"\([a-z-]*\)".*/\1/p' harness/check/finding.c)
}
