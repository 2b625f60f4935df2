import { expect, test } from 'vitest';
import { type DeliveryState, deliveryStateNames, deliveryTransitions } from '../ledger/states.ts';
import type { FailedReport, TellingReport } from './report.ts';
import { settleByReport } from './settle-policy.ts';

const failed = (replyClass: FailedReport['verdict']['class'], isPermanent: boolean): FailedReport => ({
  kind: 'failed',
  verdict: { class: replyClass, isPermanent },
  replyCode: 0,
  reason: '',
});
const deadAddress = failed('address', true);
const complaint: TellingReport = { kind: 'complaint', tokens: [] };
const delivered: TellingReport = { kind: 'delivered' };
const standing = (state: DeliveryState, attempts = 1, settledBy: string | null = null) => ({
  state,
  attempts,
  settledBy,
});

test.each([
  ['pending', 'bounced', 'sent'],
  ['attempting', 'bounced', 'sent'],
  ['sent', 'bounced', undefined],
  ['bounced', undefined, undefined],
  ['deferred', 'bounced', 'sent'],
  ['in_doubt', 'bounced', 'sent'],
  ['suppressed', undefined, undefined],
  ['skipped', undefined, undefined],
  ['cancelled', undefined, undefined],
  ['expired', undefined, undefined],
] as const)('%s: a failure makes it %s, proof of delivery %s', (state, byFailure, byProof) => {
  expect(settleByReport(deadAddress, standing(state)).state).toBe(byFailure);
  expect(settleByReport(delivered, standing(state)).state).toBe(byProof);
  expect(settleByReport(complaint, standing(state)).state).toBe(byProof);
});

test('every move is one that the ledger allows', () => {
  for (const state of deliveryStateNames) {
    for (const report of [deadAddress, complaint, delivered]) {
      const next = settleByReport(report, standing(state)).state;
      if (next) expect(deliveryTransitions[state]).toContain(next);
    }
  }
});

test.each([
  ['address', true, true],
  ['address', false, false],
  ['transient', false, false],
  ['throttled', false, false],
  ['policy', true, false],
  ['message', true, false],
  ['account', true, false],
] as const)('%s, permanent %s: suppresses %s', (replyClass, isPermanent, suppresses) => {
  const { suppression } = settleByReport(failed(replyClass, isPermanent), standing('sent'));
  expect(suppression !== undefined).toBe(suppresses);
});

test('what never left can not be reported on', () => {
  for (const report of [deadAddress, complaint, delivered]) {
    expect(settleByReport(report, standing('pending', 0))).toEqual({ isSettledByFeedback: false });
  }
});

test('feedback settled it unless an outcome of our own had', () => {
  expect(settleByReport(deadAddress, standing('sent')).isSettledByFeedback).toBe(false);
  expect(settleByReport(deadAddress, standing('sent', 1, 'assume_delivered')).isSettledByFeedback).toBe(true);
  expect(settleByReport(delivered, standing('in_doubt')).isSettledByFeedback).toBe(true);
});
