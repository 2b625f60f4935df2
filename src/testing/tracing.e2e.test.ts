/** One campaign over REST, and the traces and log lines it leaves. */
import type { IncomingMessage } from 'node:http';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseId } from '../ids.ts';
import { startRequestSpan } from '../tracing/request-span.ts';
import { startSpan } from '../tracing/span.ts';
import { addresses } from './scenario.ts';
import { startTracedScenario, type TracedScenario } from './traced-scenario.ts';
import { waitFor } from './wait-for.ts';

const callersTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
const callersSpan = '00f067aa0ba902b7';
const domain = 'traced.example';
let scenario: TracedScenario;
let campaignId: string;
beforeAll(async () => {
  scenario = await startTracedScenario();
  campaignId = await sendCampaign(addresses(700, domain));
});
afterAll(() => scenario.end());

/** Two of them bounce, one is deferred once. */
async function sendCampaign(emails: readonly string[]): Promise<string> {
  const { shop, sink } = scenario;
  const refuse = (toAddress: string[], code: number, text: string, timesPerAddress?: number) =>
    sink.addRule({
      ...{ stage: 'rcpt', when: { toAddress }, action: { do: 'reply', code, text } },
      ...(timesPerAddress && { timesPerAddress }),
    });
  refuse([`person1@${domain}`, `person2@${domain}`], 550, '5.1.1 no such user');
  refuse([`person3@${domain}`], 451, '4.2.0 try again', 1);
  const list = await shop.createList(emails);
  const draft = await shop.createDraft({ audience: { included_lists: [list] } });
  const body = { send_at: 'now' };
  const headers = { traceparent: `00-${callersTrace}-${callersSpan}-01` };
  const { status } = await shop.post(`/v1/campaigns/${draft}/schedule`, body, { headers });
  expect(status).toBe(200);
  await scenario.waitUntilSent(draft);
  return draft;
}

const ofTrace = (traceId: string) =>
  scenario.spans().filter((span) => span.spanContext().traceId === traceId);
const named = (name: string) => scenario.spans().filter((span) => span.name === name);
const ofCampaign = (spans: readonly ReadableSpan[]) =>
  spans.filter((span) => span.attributes['sluice.campaign_id'] === campaignId);
const dispatches = () => ofCampaign(named('dispatch render-campaign'));
const sends = () => ofCampaign(named('send send-campaign'));
const scheduling = () => named('POST /v1/campaigns/{campaign_id}/schedule')[0] as ReadableSpan;
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId;
const sum = (key: string) =>
  sends().reduce((total, span) => total + Number(span.attributes[`sluice.outcome.${key}`] ?? 0), 0);

test('a request goes on from its caller’s trace, and says what was called', () => {
  const span = scheduling();
  expect(span.spanContext().traceId).toBe(callersTrace);
  expect(parentOf(span)).toBe(callersSpan);
  expect(span.kind).toBe(SpanKind.SERVER);
  expect(span.attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.route': '/v1/campaigns/{campaign_id}/schedule',
    'http.response.status_code': 200,
    'sluice.tenant_id': expect.stringMatching(/^ten_/),
    'sluice.request_id': expect.stringMatching(/^req_/),
  });
});

test('where the SDK has a span for the request already, ours is part of it', () => {
  const outer = startSpan('GET');
  const inner = outer.within(() => startRequestSpan({ method: 'GET', headers: {} } as IncomingMessage));
  inner.end();
  outer.end();
  const [first, second] = scenario.spans().slice(-2) as [ReadableSpan, ReadableSpan];
  expect(parentOf(first)).toBe(second.spanContext().spanId);
  expect(first.kind).toBe(SpanKind.INTERNAL);
});

test('the expansion is part of the trace of the request that scheduled it', () => {
  const pages = ofCampaign(named('expand page'));
  expect(pages.map((page) => page.attributes['sluice.recipients'])).toEqual([700]);
  expect(pages[0]?.spanContext().traceId).toBe(callersTrace);
  expect(parentOf(pages[0] as ReadableSpan)).toBe(scheduling().spanContext().spanId);
});

test('each grant is one trace, from dispatch over render and send to the outcome, each the parent of the next', () => {
  expect(dispatches().length).toBeGreaterThanOrEqual(2);
  for (const dispatch of dispatches()) {
    const trace = ofTrace(dispatch.spanContext().traceId);
    const chain = ['dispatch render-campaign', 'render render-campaign', 'send send-campaign', 'outcome'];
    expect(trace.map((span) => span.name).sort()).toEqual([...chain].sort());
    const inOrder = chain.map((name) => trace.find((span) => span.name === name) as ReadableSpan);
    expect(inOrder.map(parentOf)).toEqual([
      undefined,
      ...inOrder.slice(0, 3).map((span) => span.spanContext().spanId),
    ]);
    expect(inOrder.map(({ kind }) => kind)).toEqual([
      ...[SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.CONSUMER, SpanKind.INTERNAL],
    ]);
    expect(inOrder[3]?.attributes).toMatchObject({ 'sluice.grant.end': 'ended' });
  }
});

test('each grant’s trace points to the request that scheduled its campaign', () => {
  for (const { links } of dispatches()) {
    expect(links.map(({ context }) => [context.traceId, context.spanId])).toEqual([
      [callersTrace, scheduling().spanContext().spanId],
    ]);
  }
});

test('a grant’s spans name its campaign, chunk and lane, and count what became of its messages', () => {
  expect(new Set(sends().map((span) => span.attributes['sluice.chunk'])).size).toBeGreaterThanOrEqual(2);
  for (const { attributes } of sends()) {
    const tenant = attributes['sluice.tenant_id'];
    expect(attributes).toMatchObject({
      'messaging.system': 'bullmq',
      'messaging.destination.name': 'send-campaign',
      'messaging.operation.name': 'send',
      'sluice.lane': expect.stringMatching(new RegExp(`^${tenant}/dst_[0-9a-z]+/campaign$`)),
      'sluice.epoch': expect.any(Number),
      'sluice.grant.end': 'ended',
    });
  }
  expect([sum('sent'), sum('bounced')]).toEqual([698, 2]);
  const deferred = sends().map((span) => span.attributes['sluice.chunk.deferred']);
  expect(deferred.filter((n) => n === 1)).not.toHaveLength(0);
});

test('no recipient has a span, nor an address in one', () => {
  const grants = dispatches().length;
  expect(ofCampaign(scenario.spans())).toHaveLength(1 + 3 * grants);
  expect(scenario.spans().length).toBeLessThan(100);
  const texts = scenario.spans().map(({ name, attributes, events }) => ({ name, attributes, events }));
  expect(JSON.stringify(texts)).not.toContain(domain);
});

test('log lines carry the trace in which they were written, and what they are about', () => {
  const request = scenario.lines.find(
    ({ msg, route }) => msg === 'request' && String(route).endsWith('/schedule'),
  );
  expect(request).toMatchObject({ trace_id: callersTrace, span_id: scheduling().spanContext().spanId });
  const expanded = scenario.lines.find(({ msg }) => msg === 'expansion done');
  expect(expanded).toMatchObject({ trace_id: callersTrace, campaignId });
  const ended = scenario.lines.filter((line) => line.msg === 'grant ended' && line.campaignId === campaignId);
  const idsOf = (spans: readonly ReadableSpan[]) => spans.map((span) => span.spanContext().spanId).sort();
  expect(ended.map(({ span_id }) => span_id).sort()).toEqual(idsOf(sends()));
  for (const line of ended) {
    const [span] = ofTrace(String(line.trace_id));
    expect(line).toMatchObject({
      tenantId: span?.attributes['sluice.tenant_id'],
      chunkNo: span?.attributes['sluice.chunk'],
      lane: span?.attributes['sluice.lane'],
    });
  }
});

test('what serves several grants is in no trace: a courier is not the grant’s that it was opened for', async () => {
  const { sink, shop, lines } = scenario;
  sink.addRule({ stage: 'connect', action: { do: 'reply', code: 421, text: '4.3.2 not now' }, times: 3 });
  const { body } = await shop.post('/v1/transports', {
    ...{ name: 'Other', settings: { host: '127.0.0.1', port: sink.port, tls: 'none' } },
  });
  const list = await shop.createList(addresses(20, 'stalled.example'));
  const draft = await shop.createDraft({ audience: { included_lists: [list] }, transport_id: body.id });
  expect((await shop.act(draft, 'schedule', { send_at: 'now' })).status).toBe(200);
  await scenario.waitUntilSent(draft);
  const refused = lines.filter(({ msg }) => msg === 'no courier could be opened');
  expect(refused.length).toBeGreaterThan(0);
  for (const line of refused) expect(line).not.toHaveProperty('trace_id');
});

test('probes leave no trace', async () => {
  const before = scenario.spans().length;
  expect((await scenario.shop.get('/livez')).status).toBe(200);
  expect(scenario.spans().length).toBe(before);
});

test('a grant that can not be rendered says which it was, and where', async () => {
  const { shop, db, lines } = scenario;
  const list = await shop.createList(addresses(5, 'broken.example'));
  const draft = await shop.createDraft({ audience: { included_lists: [list] } });
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  expect((await shop.act(draft, 'schedule', { send_at: inAnHour })).status).toBe(200);
  await db.write("UPDATE campaigns SET message = 'null', send_at = NOW(3) WHERE id = ?", [
    parseId('campaign', draft),
  ]);
  const find = async () => lines.find(({ msg }) => msg === 'grant not rendered');
  const line = await waitFor('the line', find);
  const [span] = named('render render-campaign').filter(
    ({ attributes }) => attributes['sluice.campaign_id'] === draft,
  );
  expect(span?.status.code).toBe(SpanStatusCode.ERROR);
  expect(line).toMatchObject({ campaignId: draft, chunkNo: 0, span_id: span?.spanContext().spanId });
});
