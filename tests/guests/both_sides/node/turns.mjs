// Waiting for the other test: a file for each thing that a test has done.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export async function waitFor(what, who) {
  for (let i = 0; i < 4000 && !fs.existsSync(`${what}.${who}`); i++) await sleep(5);
}

export async function both(what, me, other) {
  fs.writeFileSync(`${what}.${me}`, '');
  await waitFor(what, other);
}
