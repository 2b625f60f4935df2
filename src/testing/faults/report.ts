/** What is printed of a result: one line, and below it what was wrong. */
import type { Seen } from './invariants.ts';
import type { Result } from './run-experiment.ts';

export function formatResult({ name, passed, seen, recoveredMs, tookMs, violations }: Result): string {
  const times = `recovered in ${seconds(recoveredMs)} s, took ${seconds(tookMs)} s`;
  const line = `${passed ? 'ok    ' : 'FAILED'} ${name}: ${formatSeen(seen)}; ${times}`;
  return [line, ...violations.map((violation) => `         ${violation}`)].join('\n');
}

export function formatSeen(seen: Seen | undefined): string {
  if (!seen) return 'nothing seen';
  const { recipients, accepted, settled, doubled, lost } = seen;
  return `${accepted} accepted for ${recipients}, ${settled} in doubt, ${doubled} doubled, ${lost} lost`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
