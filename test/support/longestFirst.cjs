const { readFileSync } = require('node:fs');
const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Files that start processes of their own take minutes: they begin first, or the last of them would run alone while
 * the other workers of jest have nothing to do. The rest is in jest's own order.
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const startsProcesses = ({ path }) => readFileSync(path, 'utf8').includes('support/wholeStack');
    const sorted = super.sort(tests);
    return [...sorted.filter(startsProcesses), ...sorted.filter((test) => !startsProcesses(test))];
  }
};
