/** The end of a run: thresholds first, then what was measured. Every scenario exports it; k6 calls it. */
import { formatSummary, type SummaryMetric } from './summary-text.ts';

interface SummaryData {
  readonly metrics: Readonly<Record<string, SummaryMetric>>;
  readonly state: { readonly testRunDurationMs: number };
}

/** LOAD_SUMMARY: where both are kept, without an ending. */
export function handleSummary({ metrics, state }: SummaryData): Record<string, string> {
  const text = formatSummary(metrics, state.testRunDurationMs);
  const path = __ENV.LOAD_SUMMARY;
  const kept = { durationMs: state.testRunDurationMs, metrics };
  return {
    stdout: text,
    ...(path && { [`${path}.json`]: `${JSON.stringify(kept, null, 2)}\n`, [`${path}.txt`]: text }),
  };
}
