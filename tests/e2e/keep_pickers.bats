# `portwitness run --policy keep` for programs that pick a number and hand it on, each in the way of its
# language: none is lost to strangers outside the run that ask for ports all the time. Of 1,024 ports the
# strangers hold 600, so that under `kernel` they are given most numbers before they are bound.

# shellcheck disable=SC2154,SC2034 # set by bats, common.bash or keep.bash; for keep.bash
bats_require_minimum_version 1.5.0
load ../common
load keep

setup() {
    keep_setup
    beside_crowd
}

@test "the strangers take numbers that are not kept" {
    under kernel "$python" "$guests/pick.py" argument 20 >said
    [ "$(grep -cx lost said)" -gt 0 ]
    assert_equal "$(grep -cxE 'lost|bound' said)" 20
}

@test "Python: fork" { none_lost "$python" "$guests/pick.py" fork "$PICKS" "$PICKS"; }
@test "Python: exec" { none_lost "$python" "$guests/pick.py" exec "$PICKS" "$PICKS"; }
@test "Python: argument" { none_lost "$python" "$guests/pick.py" argument "$PICKS" "$PICKS"; }
@test "Python: file" { none_lost "$python" "$guests/pick.py" file "$PICKS" "$PICKS"; }
@test "Python: killed when it has written the file" { none_lost "$python" "$guests/pick.py" killed "$PICKS" "$PICKS"; }
@test "Node: fork" { none_lost node "$guests/pick.js" fork "$PICKS" "$PICKS"; }
@test "Node: argument" { none_lost node "$guests/pick.js" argument "$PICKS" "$PICKS"; }
@test "Node: file" { none_lost node "$guests/pick.js" file "$PICKS" "$PICKS"; }

@test "Java: argument and file" {
    local way
    javac -d . "$guests/Pick.java"
    for way in argument file; do
        none_lost java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp . Pick "$way" "$PICKS" "$PICKS"
    done
}
