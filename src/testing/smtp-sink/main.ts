/**
 * The sink as a process of its own:
 *
 *   node dist/src/testing/smtp-sink/main.js [--port 0] [--host 127.0.0.1] [--control-port 0] [--log-file path]
 *                [--memory messages|addresses|counters] [--keep-first n] [--seed n] [--rules script.json] [--user u --pass p] [--max-connections n]
 *                [--idle-timeout-ms n] [--implicit-tls] [--no-starttls] [--exit-with-stdin]
 *
 * Prints one JSON line, {"port":...,"controlPort":...}, once both ports listen (no control port without its option), and stops on
 * SIGTERM or SIGINT. With `--exit-with-stdin` it also stops when stdin ends: a parent that dies takes it along, however it died.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { serveControl } from './control-server.ts';
import type { SinkOptions } from './options.ts';
import { parseRules } from './script-schema.ts';
import { createSmtpSink } from './sink.ts';
import type { Memory } from './tally.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'control-port': { type: 'string' },
    'log-file': { type: 'string' },
    memory: { type: 'string', default: 'messages' },
    'keep-first': { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    rules: { type: 'string' },
    user: { type: 'string' },
    pass: { type: 'string' },
    'max-connections': { type: 'string' },
    'idle-timeout-ms': { type: 'string' },
    'implicit-tls': { type: 'boolean', default: false },
    'no-starttls': { type: 'boolean', default: false },
    'exit-with-stdin': { type: 'boolean', default: false },
  },
});

const sink = createSmtpSink(sinkOptions());
const { port } = await sink.start();
const control =
  values['control-port'] === undefined ? undefined : await serveControl(sink, Number(values['control-port']));
process.stdout.write(`${JSON.stringify({ port, ...(control && { controlPort: control.port }) })}\n`);

process.once('SIGTERM', stop);
process.once('SIGINT', stop);
if (values['exit-with-stdin']) process.stdin.once('end', stop).once('error', stop).resume();

function stop(): void {
  control?.server.close();
  control?.server.closeAllConnections();
  void sink.stop().then(() => process.exit(0));
}

function sinkOptions(): SinkOptions {
  const { user, pass } = values;
  return {
    host: values.host,
    port: Number(values.port),
    memory: memoryNamed(values.memory),
    keepBodies: Number(values['keep-first']),
    seed: Number(values.seed),
    implicitTls: values['implicit-tls'],
    extensions: { startTls: !values['no-starttls'] },
    ...(values['log-file'] !== undefined && { logFile: values['log-file'] }),
    ...(values.rules !== undefined && { rules: parseRules(JSON.parse(readFileSync(values.rules, 'utf8'))) }),
    ...(user !== undefined && { credentials: { user, pass: pass ?? '' } }),
    ...(values['max-connections'] !== undefined && { maxConnections: Number(values['max-connections']) }),
    ...(values['idle-timeout-ms'] !== undefined && { idleTimeoutMs: Number(values['idle-timeout-ms']) }),
  };
}

function memoryNamed(name: string): Memory {
  if (name === 'messages' || name === 'addresses' || name === 'counters') return name;
  throw new Error(`--memory is messages, addresses or counters, not ${name}`);
}
