#!/bin/bash
# Runs both files at one time.
bats cart.bats &
one=$!
bats checkout.bats &
two=$!
wait "$one" || status=$?
wait "$two" || status=$?
exit "${status:-0}"
