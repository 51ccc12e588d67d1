#!/usr/bin/env bats
# run --policy: which ports the guests get, and that nothing else of their results changes.

load setup.bash

rebind="$BATS_TEST_DIRNAME/../data/policies/rebind.py"
