import { expect, test } from 'vitest';
import { formatDeliveryId } from '../../ledger/delivery-id.ts';
import { deliveryStateNames } from '../../ledger/states.ts';
import { checkInvariants, type Evidence } from './invariants.ts';
import type { LedgerRow, LedgerView } from './ledger-view.ts';

const key = { tenantId: 7, campaignId: 8, chunkNo: 0, part: 202_647 } as Parameters<
  typeof formatDeliveryId
>[0];
const messageId = (seq: number) => `<${formatDeliveryId({ ...key, seq })}.mac@example.com>`;

function rowOf(seq: number, row: Partial<LedgerRow> = {}): LedgerRow {
  return { key: `7-8-0-${seq}`, state: 'sent', settledBy: null, reason: null, ...row };
}

function evidenceOf(rows: readonly LedgerRow[], accepted: readonly number[]): Evidence {
  const counts = Object.fromEntries(
    deliveryStateNames.map((state) => [state, rows.filter((row) => row.state === state).length]),
  );
  const ledger: LedgerView = {
    rows: new Map(rows.map((row) => [row.key, row])),
    counted: { rows: counts, chunks: counts, counters: counts },
    openChunks: 0,
  };
  const copies = new Map<string, number>();
  for (const seq of accepted) copies.set(messageId(seq), (copies.get(messageId(seq)) ?? 0) + 1);
  return { recipients: rows.length, ledger, accepted: copies };
}

const violationsOf = (evidence: Evidence) =>
  checkInvariants(evidence).violations.map((text) => text.slice(0, 2));

test('one copy for each row that is sent violates nothing', () => {
  expect(violationsOf(evidenceOf([rowOf(0), rowOf(1)], [0, 1]))).toEqual([]);
});

test('a double is a violation, unless its doubt was resent by policy', () => {
  expect(violationsOf(evidenceOf([rowOf(0)], [0, 0]))).toEqual(['I2']);
  expect(violationsOf(evidenceOf([rowOf(0, { settledBy: 'assume_delivered' })], [0, 0]))).toEqual(['I2']);
  expect(violationsOf(evidenceOf([rowOf(0, { settledBy: 'resend' })], [0, 0]))).toEqual([]);
});

test('what is sent was accepted or assumed, and what was accepted is not denied', () => {
  expect(violationsOf(evidenceOf([rowOf(0)], []))).toEqual(['I3']);
  expect(violationsOf(evidenceOf([rowOf(0, { settledBy: 'assume_delivered' })], []))).toEqual([]);
  expect(violationsOf(evidenceOf([rowOf(0, { state: 'cancelled' })], [0]))).toEqual(['I3']);
  expect(violationsOf(evidenceOf([], [0]))).toEqual(['I3']);
});

test('a row without an end, one that is missing and an open chunk are violations', () => {
  const evidence = evidenceOf([rowOf(0, { state: 'in_doubt' })], [0]);
  expect(violationsOf(evidence)).toEqual(['I1']);
  expect(violationsOf({ ...evidence, recipients: 2 })).toEqual(['I1', 'I1']);
  expect(violationsOf({ ...evidence, ledger: { ...evidence.ledger, openChunks: 1 } })).toEqual(['I1', 'I1']);
});

test('counters that differ from the rows are a violation', () => {
  const evidence = evidenceOf([rowOf(0)], [0]);
  const { rows, chunks } = evidence.ledger.counted;
  const counted = { rows, chunks, counters: { ...rows, sent: 2 } };
  expect(violationsOf({ ...evidence, ledger: { ...evidence.ledger, counted } })).toEqual(['I6']);
});
