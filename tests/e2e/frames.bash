# What the suites about the lines of Python, Ruby and PHP share: a guest bare and recorded, and what the
# comments in it ask for beside what the trace has. That of Python has a form of its own for the latter.
# shellcheck disable=SC2154 # variables of common.bash

# record COMMAND...: bare and recorded, which must print the same and end alike.
record() {
    local bare=0 recorded=0
    "$@" >bare.out 2>bare.err || bare=$?
    rm -f t
    "$PORTWITNESS" run --quiet ${options[@]+"${options[@]}"} -o t -- "$@" >out 2>err || recorded=$?
    [ "$bare" -eq "$recorded" ] && diff bare.out out && diff bare.err err
}

exported() {
    "$PORTWITNESS" export --format jsonl t
}

# framed: "KIND FILE:LINE FUNCTION" of each recorded call that may have a frame, by its innermost one;
# "KIND none" where it has none.
framed() {
    exported | jq -r 'select(.kind | IN("bind", "connect", "autobind", "listen")) | .frames[0] as $at
        | .kind + if $at == null then " none" else " \($at.file):\($at.line) \($at.function // "-")" end'
}

# right FILE: what the comments in it ask for, "# bind,listen METHOD".
right() {
    awk -v file="$1" 'match($0, /(#|\/\/) (bind|connect|autobind|listen)(,listen)? [^ ]+$/) {
        split(substr($0, RSTART), word, " ")
        count = split(word[2], kinds, ",")
        for (i = 1; i <= count; i++)
            print kinds[i], word[3] == "none" ? "none" : file ":" NR " " word[3]
    }' "$1"
}

# all_right FILE AT_LEAST: each call has its line and function, and there are so many.
all_right() {
    right "$1" | sort >expected
    framed | sort >found
    [ "$(wc -l <expected)" -ge "$2" ] && diff expected found
}
