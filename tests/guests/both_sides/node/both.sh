#!/bin/bash
# Runs both files at one time; HOOK names the tests.
node --test --require "$HOOK" cart.test.mjs &
one=$!
node --test --require "$HOOK" checkout.test.mjs &
two=$!
wait "$one" || status=$?
wait "$two" || status=$?
exit "${status:-0}"
