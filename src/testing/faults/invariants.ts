/**
 * What must hold after every run, whatever was done to it. The sink is the oracle: it says what was accepted; the ledger says what it believes. Pure.
 *
 * I1 every recipient has one row, in an end state. I2 a message that was accepted twice was in doubt and resent by policy. I3 what was accepted is
 * `sent` (or was in doubt); what is `sent` was accepted (or assumed by policy). I6 counters are the rows, counted three ways.
 * I5, what is left in Redis, is in belt-left.ts.
 */
import { deliveryStateNames, settledStates } from '../../ledger/states.ts';
import { keyOfMessageId, type LedgerRow, type LedgerView } from './ledger-view.ts';

export interface Findings {
  readonly violations: readonly string[];
  readonly seen: Seen;
}

export interface Seen {
  readonly recipients: number;
  readonly accepted: number;
  /** Recipients that got more than one copy. */
  readonly doubled: number;
  /** Rows that a policy settled: they passed in_doubt and nobody could tell. */
  readonly settled: number;
  /** Assumed delivered, and never accepted. */
  readonly lost: number;
}

export interface Evidence {
  readonly recipients: number;
  readonly ledger: LedgerView;
  /** Copies accepted, by Message-ID. */
  readonly accepted: ReadonlyMap<string, number>;
}

export function checkInvariants({ recipients, ledger, accepted }: Evidence): Findings {
  const copies = countCopies(accepted);
  const rows = [...ledger.rows.values()];
  const lost = rows.filter((row) => row.settledBy === 'assume_delivered' && !copies.has(row.key));
  const doubled = rows.filter((row) => (copies.get(row.key) ?? 0) > 1);
  return {
    violations: [
      ...checkEnds(rows, recipients, ledger.openChunks),
      ...doubled
        .filter((row) => row.settledBy !== 'resend')
        .map((row) => `I2 ${describe(row)}: doubled without a doubt`),
      ...checkAgreement(ledger, copies),
      ...checkCounts(ledger),
    ],
    seen: {
      recipients: rows.length,
      accepted: [...copies.values()].reduce((sum, n) => sum + n, 0),
      doubled: doubled.length,
      settled: rows.filter((row) => row.settledBy !== null).length,
      lost: lost.length,
    },
  };
}

function countCopies(accepted: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...accepted].map(([messageId, n]) => [keyOfMessageId(messageId) ?? messageId, n]));
}

function checkEnds(rows: readonly LedgerRow[], recipients: number, openChunks: number): readonly string[] {
  const open = rows.filter((row) => !settledStates.includes(row.state));
  return [
    ...(rows.length === recipients ? [] : [`I1 ${rows.length} rows for ${recipients} recipients`]),
    ...open.map((row) => `I1 ${describe(row)}: no end state`),
    ...(openChunks === 0 ? [] : [`I1 ${openChunks} chunks are open`]),
  ];
}

const agreesWithCopy = (row: LedgerRow) =>
  row.state === 'sent' || row.state === 'in_doubt' || row.settledBy !== null;

function checkAgreement(ledger: LedgerView, copies: ReadonlyMap<string, number>): readonly string[] {
  const rows = [...ledger.rows.values()];
  const unknown = [...copies.keys()].filter((key) => !ledger.rows.has(key));
  const denied = rows.filter((row) => copies.has(row.key) && !agreesWithCopy(row));
  const invented = rows.filter(
    (row) => row.state === 'sent' && row.settledBy !== 'assume_delivered' && !copies.has(row.key),
  );
  return [
    ...unknown.map((key) => `I3 ${key}: accepted, and no row`),
    ...denied.map((row) => `I3 ${describe(row)}: accepted`),
    ...invented.map((row) => `I3 ${describe(row)}: never accepted`),
  ];
}

function checkCounts({ counted }: LedgerView): readonly string[] {
  const differing = deliveryStateNames.filter(
    (state) =>
      counted.rows[state] !== counted.chunks[state] || counted.rows[state] !== counted.counters[state],
  );
  return differing.map(
    (state) =>
      `I6 ${state}: ${counted.rows[state]} rows, ${counted.chunks[state]} by chunks, ${counted.counters[state]} by counters`,
  );
}

function describe({ key, state, settledBy, reason }: LedgerRow): string {
  return `${key} ${state}${settledBy ? ` by ${settledBy}` : ''}${reason ? ` (${reason})` : ''}`;
}
