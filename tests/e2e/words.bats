# The words that docs/glossary.md retires are found where they stand, and nowhere else.

bats_require_minimum_version 1.5.0
load ../common

# shellcheck disable=SC2154 # common.bash sets root
setup() { cd "$root" || return; }

# found TEXT PLACE...: scripts/words finds these in a file of this text.
found() {
    local text=$1 file=$BATS_TEST_TMPDIR/file expected
    shift
    printf '%s\n' "$text" >"$file"
    expected=$([ $# -eq 0 ] || printf "$file:%s\n" "$@")
    run scripts/words "$file"
    assert_equal "$output" "$expected"
    assert_equal "$status" $(($# > 0))
}

@test "no file of the project has a retired word" {
    run -0 scripts/words
    assert_equal "$output" ''
}

@test "a retired word is found in a message, a comment, a JSON key, an identifier and a document" {
    found 'complain(NULL, "no mend is known");' '1: mend'
    found '/* The crew is started. */' '1: crew'
    found 'set(object, "mend_text", text);' '1: mend'
    found $'int a;\nstatic void judge_round(void);' '2: judge'
    found 'enum { VERDICT_CLEAN_AS_SEEN };' '1: CLEAN_AS_SEEN'
    found 'The verdict is "clean-as-seen".' '1: clean-as-seen'
    found 'clean\-as\-seen' '1: clean-as-seen'
    found 'Mending is judging; tallies are troubling.' '1: Mending' '1: judging' '1: tallies' '1: troubling'
    found 'They are witnessed, and deeds are judged.' '1: witnessed' '1: deeds' '1: judged'
}

@test "a phrase is found over the end of a line of a comment, a document and a literal" {
    found $'/* The port was let\n * go. */' '1: let * go'
    found $'It tells\nof ports.' '1: tells of'
    found $'puts("it tells "\n     "of ports");' '1: tells of'
    found $'# is no\n# number' '1: is no # number'
}

@test "a word that only holds a retired one is left alone" {
    found 'portwitness indeed recommends a kind of keyboard, an on-board clock and a libraryless deedbox'
}
