import Sequencer from '@jest/test-sequencer';

/** Suites that take a minute go first: without times of an earlier run Jest goes by size, and a long one at the end is waited for. */
export default class SlowFirst extends Sequencer {
  sort(tests) {
    const isSlow = ({ path }) => (SLOW.test(path) ? 0 : 1);
    return super.sort(tests).sort((one, other) => isSlow(one) - isSlow(other));
  }
}

const SLOW = /\/(unruly|model|conformance|kill)\.test\.ts$|\/test\/simulate\//;
