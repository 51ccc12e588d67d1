'use strict';
/*
 * Marks the tests of Node's test runner, and how they ended:
 *
 *   portwitness run --check -- node --test --require /usr/local/share/portwitness/node-test/portwitness.cjs
 *
 * A test that fails and is marked as `todo` counts as failed.
 */
const path = require('path');
const { mark, isRecorded, STARTS, PASSED, FAILED, SKIPPED, ENDED } = require('../node/marks.cjs');

/* Those that run, the outer ones first; more than one branch where tests run at the same time. */
const open = [];
let overlaps = false;

/* Where tests run: in the process of a file, or in that of the runner where files have none. To ask
 * for hooks anywhere else would make a test run of a program that is none. */
function runsTests() {
  if (/^child/.test(process.env.NODE_TEST_CONTEXT || '')) return true;
  const words = process.execArgv.join('=');
  return /--test(=|$)/.test(words) && /test-isolation=none/.test(words);
}

function nameOf(test) {
  const file = test.filePath || process.argv[1];
  const name = test.fullName || test.name;
  return file ? `${path.relative(process.cwd(), file)} > ${name}` : name;
}

/* Which test runs now, as far as that can be said. */
function say() {
  if (open.length === 0) return;
  if (overlaps) mark('', ENDED);
  else mark(open[open.length - 1].name, STARTS);
}

function end(test, outcome) {
  const at = open.findIndex((one) => one.test === test);
  if (at < 0) return;
  mark(open[at].name, outcome);
  open.splice(at, 1);
  if (open.length === 0) overlaps = false;
  say();
}

function start(test) {
  const name = nameOf(test);
  const outer = open.length > 0 ? open[open.length - 1].name : name;
  overlaps = overlaps || !name.startsWith(outer);
  open.push({ test, name });
  say();
  const { skip } = test; /* no hook is called after it */
  if (typeof skip === 'function')
    test.skip = function (...words) {
      end(test, SKIPPED);
      return skip.apply(this, words);
    };
}

if (isRecorded && runsTests()) {
  const { beforeEach, afterEach } = require('node:test');
  beforeEach((test) => start(test));
  afterEach((test) => end(test, test.error || test.passed === false ? FAILED : PASSED));
}
