# jacoco, an agent that changes the classes as they are loaded.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    real_setup
    needs javac jar
    jars=/usr/share/java
    [ -e "$jars/org.jacoco.agent.rt.jar" ] || skip 'libjacoco-java is not installed; scripts/bootstrap --full'
    mkdir "$open/java"
    javac -d "$open/java" "$root"/tests/guests/frames/com/example/Places.java
    # Debian's jar has no manifest that makes an agent of it.
    printf '%s\n' 'Premain-Class: org.jacoco.agent.rt.internal.PreMain' \
        "Class-Path: $jars/org.jacoco.agent.rt.jar $jars/org.jacoco.core.jar $jars/asm.jar" \
        "  $jars/asm-commons.jar $jars/asm-tree.jar $jars/asm-analysis.jar" >"$open/manifest"
    jar cfm "$open/java/agent.jar" "$open/manifest"
}

teardown() { real_teardown; }

covered() {
    java "-javaagent:$open/java/agent.jar=destfile=$work/counted,includes=com.example.*" \
        -cp "$open/java" com.example.Places
    grep -aq 'com/example/Places' counted && echo counted
}

@test "jacoco counts as it does without, and the lines are right" {
    under_all covered counted
    "$PORTWITNESS" export --format jsonl "$trace" >records
    [ "$(jq -s 'map(select(.kind == "bind" and .frames[0].file == "com/example/Places.java"
        and .frames[0].line > 0)) | length' records)" -ge 10 ]
}
