# The environment for Jest, in Jest as npm has it.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

@test "the environment for Jest says how each test ended, in each worker" {
    cd "$BATS_TEST_TMPDIR"
    echo '{}' >package.json
    npm install --silent --no-audit --no-fund jest@29 >npm.log 2>&1 || skip "npm cannot install jest: $(tail -1 npm.log)"
    echo "module.exports = { testEnvironment: '$root/integrations/jest/portwitness.cjs' };" >jest.config.js
    cp "$root/tests/guests/frameworks/jest/outcomes.test.js" one.test.js
    cp one.test.js two.test.js
    run -1 "$PORTWITNESS" run -q -o t -- npx jest -w 2
    [[ $output == *'2 failed, 2 skipped, 2 todo, 2 passed'* ]]
    for file in one two; do
        assert_equal "$("$PORTWITNESS" export --format jsonl t | jq -r --arg file "$file.test.js > " 'select(.kind == "marker")
            | select(.text | startswith($file)) | "\(.text | ltrimstr($file)) \(.outcome)"')" "good null
good passed
suite > bad null
suite > bad failed
suite > left out skipped
later skipped"
    done
    run -1 npx jest -w 2
    [[ $output == *'2 failed, 2 skipped, 2 todo, 2 passed'* ]]
}

@test "a line is that of the source, though Jest compiles it first" {
    cd "$BATS_TEST_TMPDIR"
    echo '{}' >package.json
    npm install --silent --no-audit --no-fund jest@29 >npm.log 2>&1 || skip "npm cannot install jest: $(tail -1 npm.log)"
    cat >moved.test.js <<'END'
const twice = async (server) => {
  server.close();
};

test('moved', async () => {
  const server = await new Promise((up) => {
    const made = require('net').createServer();
    made.listen(0, '127.0.0.1', () => up(made));
  });
  await twice(server);
  const other = require('net').createServer();

  await new Promise((up) => other.listen(0, '127.0.0.1', up));
  other.close();
});
END
    "$PORTWITNESS" run -q -o t -- npx jest
    assert_equal "$("$PORTWITNESS" ports --json t | jq -r '.place.line // empty' | sort -n | xargs)" "8 13"
}
