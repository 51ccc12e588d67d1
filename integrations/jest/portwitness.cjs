'use strict';
/*
 * Marks the tests of Jest, and how they ended. In the configuration of Jest:
 *
 *   testEnvironment: '/usr/local/share/portwitness/jest/portwitness.cjs'
 *
 * is jest-environment-node with marks. Of another environment a file makes one with
 *
 *   module.exports = require('.../portwitness.cjs').marking(require('jest-environment-jsdom').TestEnvironment);
 */
const { createRequire } = require('module');
const path = require('path');
const { mark, STARTS, PASSED, FAILED, SKIPPED } = require('../node/marks.cjs');

function nameOf(file, test) {
  const names = [];
  for (let at = test; at && at.name !== 'ROOT_DESCRIBE_BLOCK'; at = at.parent) names.unshift(at.name);
  return `${file} > ${names.join(' > ')}`;
}

/* A class like that one, whose tests are marked. */
function marking(Environment) {
  return class extends Environment {
    constructor(config, context) {
      super(config, context);
      this.portwitnessFile = path.relative(process.cwd(), context.testPath);
    }

    async handleTestEvent(event, state) {
      if (super.handleTestEvent) await super.handleTestEvent(event, state);
      if (!event.test) return;
      const name = nameOf(this.portwitnessFile, event.test);
      if (event.name === 'test_started' || event.name === 'test_retry') mark(name, STARTS);
      else if (event.name === 'test_skip' || event.name === 'test_todo') mark(name, SKIPPED);
      else if (event.name === 'test_done') mark(name, event.test.errors.length > 0 ? FAILED : PASSED);
    }
  };
}

const environment = createRequire(path.join(process.cwd(), 'package.json'))('jest-environment-node');

module.exports = marking(environment.TestEnvironment || environment);
module.exports.marking = marking;
