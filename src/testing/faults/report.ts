/** What is printed of a run: one line, and below it what was wrong. */
import type { Seen } from './invariants.ts';
import type { Outcome } from './run-lanes.ts';

export function formatOutcome({ result, mutant, isAsExpected }: Outcome): string {
  const { name, seen, recoveredMs, tookMs, violations } = result;
  const times = `recovered in ${seconds(recoveredMs)} s, took ${seconds(tookMs)} s`;
  const what = mutant ? `${result.passed ? 'not caught' : 'caught'}, without "${mutant.protection}": ` : '';
  const line = `${isAsExpected ? 'ok    ' : 'FAILED'} ${what}${name}: ${formatSeen(seen)}; ${times}`;
  return [line, ...violations.map((violation) => `         ${violation}`)].join('\n');
}

function formatSeen(seen: Seen | undefined): string {
  if (!seen) return 'nothing seen';
  const { recipients, accepted, settled, doubled, lost } = seen;
  return `${accepted} accepted for ${recipients}, ${settled} in doubt, ${doubled} doubled, ${lost} assumed`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
