#!/usr/bin/env node
import closeWithGrace from 'close-with-grace';
import { run } from './cli/program.ts';

const stopping = new AbortController();
const context = {
  print: (text: string) => void process.stdout.write(`${text}\n`),
  stopped: stopping.signal,
};
const complain = (text: string) => void process.stderr.write(`${text}\n`);

const finished = run(process.argv.slice(2), context, complain);

// Longer than the gateway's limit and the lease that outlives it, so that no call in flight is cut. A second signal
// ends the process at once, and what it leaves behind is reconciled.
const GRACE_MS = 95_000;
closeWithGrace({ delay: GRACE_MS, logger: false }, async ({ err }) => {
  if (err !== undefined) complain(`maedal: ${err.stack ?? err.message}`);
  stopping.abort();
  await finished;
});

process.exit(await finished);
