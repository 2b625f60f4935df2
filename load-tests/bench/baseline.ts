/**
 * The baseline that people write today: one BullMQ job per recipient, nodemailer's pool with `sendMail({ html })`, and one
 * UPDATE each. In a process of its own, so that its CPU and memory can be read.
 *
 *   node baseline.js <smtp port> <recipients> <kilobytes>      prints {"messages":...,"seconds":...,"cpuSeconds":...,"peakMb":...}
 */
import { randomBytes } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Liquid } from 'liquidjs';
import { createPool } from 'mysql2/promise';
import { createTransport } from 'nodemailer';
import { benchHtml } from './bench-message.ts';
import { readUsage } from './process-usage.ts';

const [port, recipients, kilobytes] = process.argv.slice(2).map(Number) as [number, number, number];
const concurrency = 50;

const redis = new Redis(process.env.REDIS_URL as string, { maxRetriesPerRequest: null });
const pool = createPool({
  uri: (process.env.DATABASE_URL as string).replace(/^mariadb:/, 'mysql:'),
  connectionLimit: 10,
});
const transport = createTransport({
  host: '127.0.0.1',
  port,
  pool: true,
  maxConnections: 10,
  maxMessages: Infinity,
  ignoreTLS: true,
});
const template = new Liquid().parse(benchHtml(kilobytes));
const engine = new Liquid();
const prefix = `baseline-${randomBytes(4).toString('hex')}`;
const queue = new Queue('mail', { connection: redis, prefix });

await pool.query('CREATE TABLE baseline (id INT PRIMARY KEY, state VARCHAR(10) NOT NULL)');
await pool.query('INSERT INTO baseline (id, state) VALUES ?', [
  Array.from({ length: recipients }, (_, id) => [id, 'pending']),
]);
const started = performance.now();
const cpuBefore = readUsage(process.pid);
await enqueueAll();
await workAll();
const seconds = (performance.now() - started) / 1000;
const usage = readUsage(process.pid);
process.stdout.write(
  `${JSON.stringify({
    messages: recipients,
    seconds,
    cpuSeconds: (usage?.cpuSeconds ?? 0) - (cpuBefore?.cpuSeconds ?? 0),
    peakMb: usage?.peakMb,
  })}\n`,
);
await queue.obliterate({ force: true });
await pool.query('DROP TABLE baseline');
process.exit(0);

async function enqueueAll(): Promise<void> {
  for (let at = 0; at < recipients; at += 1_000) {
    const ids = Array.from({ length: Math.min(1_000, recipients - at) }, (_, i) => at + i);
    await queue.addBulk(ids.map((id) => ({ name: 'mail', data: { id }, opts: { removeOnComplete: true } })));
  }
}

function workAll(): Promise<void> {
  let sent = 0;
  return new Promise((fulfil, reject) => {
    const worker = new Worker('mail', (job) => sendOne(job.data.id), {
      connection: redis,
      prefix,
      concurrency,
    });
    worker.on('completed', () => {
      sent++;
      if (sent === recipients) void worker.close().then(fulfil);
    });
    worker.on('failed', (_, error) => reject(error));
  });
}

async function sendOne(id: number): Promise<void> {
  const profile = {
    first_name: `Name${id}`,
    city: 'Lyon',
    tier: id % 5 === 0 ? 'gold' : '',
    email: `p${id}@example.com`,
  };
  const html = engine.renderSync(template, { profile, unsubscribe_url: `https://shop.example.com/u/${id}` });
  await transport.sendMail({
    from: 'shop@example.com',
    to: profile.email,
    subject: `Hello ${profile.first_name}`,
    html,
  });
  await pool.query("UPDATE baseline SET state = 'sent' WHERE id = ?", [id]);
}
