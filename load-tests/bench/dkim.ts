/**
 * What a DKIM signature costs a message: on the event loop (header, body hash, starting the work) and in libuv's threads (the signature itself).
 * Run after `npm run build`:
 *
 *     node dist/load-tests/bench/dkim.js
 *
 * Messages are signed eight at a time, as send workers do. Loop time is the main thread's CPU time, from Linux's schedstat; thread time is the
 * process's CPU time beyond that. The rows `body` compare hashing where the buffers lie with joining them first.
 */
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { hashBody, splitMessage } from '../../src/dkim/canonical-form.ts';
import { makeDkimKey } from '../../src/dkim/dkim-key.ts';
import { type DkimAlgorithm, type DkimKey, signMessage } from '../../src/dkim/sign-message.ts';
import { type CompiledTemplate, compileMessage } from '../../src/render/compile.ts';
import { renderRecipient } from '../../src/render/render.ts';
import { messageBuffers } from '../../src/render/splice.ts';
import { benchHtml } from './bench-message.ts';

const domain = 'mail.example.com';
const messages = 3_000;
const rounds = 5;
const atOnce = 8;
/** As many octets as the fields that are signed. */
const signedText = Buffer.alloc(1_000, 'x');

interface Cost {
  readonly loop: number;
  readonly threads: number;
  readonly wall: number;
}

const keys: Readonly<Record<DkimAlgorithm, DkimKey>> = {
  'rsa-sha256': await keyOf('rsa-sha256'),
  'ed25519-sha256': await keyOf('ed25519-sha256'),
};
const shapes: readonly { readonly name: string; readonly keys: readonly DkimKey[] }[] = [
  { name: 'RSA-2048', keys: [keys['rsa-sha256']] },
  { name: 'Ed25519', keys: [keys['ed25519-sha256']] },
  { name: 'both', keys: Object.values(keys) },
];

console.log(`${process.version}, ${messages} messages, best of ${rounds}, µs per message`);
for (const kilobytes of [10, 40]) {
  const message = buffersOf(kilobytes);
  const bytes = message.reduce((sum, buffer) => sum + buffer.length, 0);
  console.log(`\n${kilobytes} KB: ${bytes} octets in ${message.length} buffers`);
  for (const { name, keys: used } of shapes) {
    const { loop, threads, wall } = await least(() => measure(message, used));
    console.log(`${name.padEnd(9)} loop ${show(loop)}  threads ${show(threads)}  wall ${show(wall)}`);
  }
  measureParts(message);
}

function show(microseconds: number): string {
  return microseconds.toFixed(1).padStart(7);
}

async function keyOf(algorithm: DkimAlgorithm): Promise<DkimKey> {
  const { privateKey } = await makeDkimKey(algorithm);
  return { domain, selector: 's1', algorithm, privateKey: createPrivateKey(privateKey) };
}

function buffersOf(kilobytes: number): Buffer[] {
  const compiled = compileMessage({
    subject: 'Hello {{ profile.first_name }}',
    html: benchHtml(kilobytes),
    from: { email: `shop@${domain}`, name: 'The Shop' },
    ...{ sendingDomain: domain, bounceDomain: 'bounce.example.com', listId: 'ten_1' },
    feedbackId: { campaign: 'cmp_1', tenant: 'ten_1', stream: 'campaign', sender: 'sluice' },
  });
  if (compiled.kind === 'invalid') throw new Error(JSON.stringify(compiled.errors));
  return render(compiled.message);
}

function render(template: CompiledTemplate): Buffer[] {
  const recipient = {
    ...{ seq: 1, email: 'ada@example.org', attributes: { first_name: 'Ada', city: 'Köln', tier: 'gold' } },
    ...{
      token: `dlv_${'0'.repeat(33)}.0123456789abcdef`,
      unsubscribeUrl: 'https://click.example.com/u/token',
    },
  };
  const context = { campaign: { id: 'cmp_1', name: 'Bench' }, now: new Date() };
  const result = renderRecipient(template, recipient, context);
  if (result.kind === 'skipped') throw new Error(result.reason);
  return messageBuffers(template.message, result.message);
}

async function measure(message: readonly Buffer[], used: readonly DkimKey[]): Promise<Cost> {
  const cpu = process.cpuUsage();
  const loop = mainThreadMicros();
  const began = performance.now();
  let left = messages;
  const work = async () => {
    while (left-- > 0) await signMessage(message, used, Date.now());
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const wall = ((performance.now() - began) * 1000) / messages;
  const active = (mainThreadMicros() - loop) / messages;
  const { user, system } = process.cpuUsage(cpu);
  return { loop: active, threads: Math.max(0, (user + system) / messages - active), wall };
}

/** CPU time so far. The thread's id is the process's. */
function mainThreadMicros(): number {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1000;
}

async function least(run: () => Promise<Cost>): Promise<Cost> {
  let best = await run();
  for (let round = 1; round < rounds; round++) {
    const next = await run();
    if (next.loop < best.loop) best = next;
  }
  return best;
}

function measureParts(message: readonly Buffer[]): void {
  const { body } = splitMessage(message);
  const joined = () => createHash('sha256').update(Buffer.concat(body)).digest('base64');
  console.log(
    `header    loop ${show(time(() => splitMessage(message)))}\n` +
      `body      loop ${show(time(() => hashBody(body)))}, joined first ${show(time(joined))}\n` +
      `signature on the loop, as crypto.sign does without a callback: RSA-2048 ${show(time(() => signHere(keys['rsa-sha256'])))}, ` +
      `Ed25519 ${show(time(() => signHere(keys['ed25519-sha256'])))}`,
  );
}

function signHere({ algorithm, privateKey }: DkimKey): Buffer {
  return sign(algorithm === 'rsa-sha256' ? 'sha256' : null, signedText, privateKey);
}

function time(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const began = mainThreadMicros();
    for (let n = 0; n < messages; n++) work();
    best = Math.min(best, (mainThreadMicros() - began) / messages);
  }
  return best;
}
