/**
 * The simulation as a command:
 *
 *   node dist/src/testing/simulation/main.js [--seed n] [--schedules n] [--path a:b:c] [--without protection]
 *
 * Prints the seed and schedules per second; of a schedule that breaks an invariant, shrunk, its shape, its faults and every step of
 * note. The same seed makes the same schedules; `--path` goes straight to one. Ends with 1 when an invariant is broken.
 */
import { parseArgs } from 'node:util';
import { checkSchedules } from './check-schedules.ts';
import { allProtections, type ProtectionName, protectionNames, without } from './protections.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000_007) },
    schedules: { type: 'string', default: '20000' },
    path: { type: 'string' },
    without: { type: 'string' },
  },
});

const checked = checkSchedules({
  seed: Number(values.seed),
  schedules: Number(values.schedules),
  protections: values.without === undefined ? allProtections : without(toProtection(values.without)),
  ...(values.path !== undefined && { path: values.path }),
});
const perSecond = Math.round(checked.runs / (checked.elapsedMs / 1000));
console.log(
  `seed ${values.seed}: ${checked.runs} schedules, ${checked.steps} steps in ${Math.round(checked.elapsedMs)} ms: ${perSecond} schedules a second`,
);
if (checked.broken) {
  console.log(checked.broken.story);
  console.log(`\nagain: --seed ${values.seed} --path ${checked.broken.path}`);
  process.exitCode = 1;
}

function toProtection(text: string): ProtectionName {
  const found = protectionNames.find((name) => name === text);
  if (found) return found;
  throw new Error(`no protection ${text}; there are ${protectionNames.join(', ')}`);
}
