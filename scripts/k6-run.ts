/**
 * One k6 scenario against a fleet of its own or an installation that is there; started by `k6.mjs`, which finds k6.
 *
 * Exits with 0 when all thresholds hold, 99 when one is crossed (k6's own code for that), 1 when it could not be run, 2 when it was asked wrongly.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { describeMachine, readCommit } from '../src/testing/measured-on.ts';
import { type Installation, type K6Arguments, readArguments, scenarios, usage } from './k6/arguments.ts';
import { formatHead, keepResult, type RunHead, readSent } from './k6/keep-result.ts';
import { type LocalInstallation, startLocal } from './k6/local-installation.ts';

const crossedCode = 99;
const patienceMs = 15_000;
const folder = resolve('.sluice', `k6-${process.pid}`);
const summary = join(folder, 'summary');
const interrupted = new AbortController();
const say = (line: string) => process.stdout.write(`${line}\n`);

const argv = process.argv.slice(2);
const args = readArguments(argv, process.env);
if ('error' in args) {
  const isAsked = argv.includes('--help');
  process.stderr.write(isAsked ? `${usage}\n` : `${args.error}\n\n${usage}\n`);
  process.exit(isAsked ? 0 : 2);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

process.exitCode = await run(args).catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\nLogs: ${folder}\n`);
  return 1;
});

async function run(options: K6Arguments): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const local = options.installation ? undefined : await startOwn(options);
  try {
    return await measure(options, options.installation ?? (local as LocalInstallation), local);
  } finally {
    await local?.stop();
  }
}

async function startOwn({ min, max }: K6Arguments): Promise<LocalInstallation> {
  const local = await startLocal({
    databaseUrl: environment('DATABASE_URL'),
    redisUrl: environment('REDIS_URL'),
    ...{ min, max, folder, signal: interrupted.signal },
  });
  say(`fleet up: API ${local.url}, sink on 127.0.0.1:${local.smtpPort}, logs in ${folder}`);
  return local;
}

async function measure(
  options: K6Arguments,
  installation: Installation,
  local: LocalInstallation | undefined,
): Promise<number> {
  const { scenario, isKept } = options;
  const at = new Date().toISOString();
  const loadBefore = loadavg();
  const code = await runK6(options, installation);
  const isMeasured = code === 0 || code === crossedCode;
  const verdict =
    code === 0 ? 'passed' : code === crossedCode ? 'thresholds crossed' : `k6 ended with ${code}`;
  const head: RunHead = {
    ...{ scenario, verdict, at, commit: readCommit(), machine: describeMachine() },
    command: `npm run k6 -- ${withoutToken(argv).join(' ')}`,
    ...{ loadBefore, loadAfter: loadavg() },
    acceptedBySink: local && (await local.sink.state()).accepted.messages,
    sentByLedger: isMeasured ? readSent(summary) : undefined,
  };
  say(`\n${formatHead(head)}`);
  if (isKept && isMeasured) say(`kept as ${keepResult(head, summary)}`);
  if (isMeasured) rmSync(folder, { recursive: true, force: true });
  return code;
}

/**
 * A signal reaches k6, too (from a terminal by itself): it ends its virtual users and still reads what became of their campaigns, for as long as we have patience: what
 * was started has to be taken away. The token is in its environment, where `ps` doesn't show it. */
function runK6({ scenario, env }: K6Arguments, installation: Installation): Promise<number> {
  const file = join('load-tests/k6', scenarios[scenario]?.file ?? '');
  const options = process.stdout.isTTY ? [] : ['--quiet'];
  // Its own control port would be taken while another runs.
  const child = spawn(environment('LOAD_K6'), ['run', '--address', '', ...options, file], {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...env,
      ...{ LOAD_URL: installation.url, LOAD_ADMIN_TOKEN: installation.adminToken },
      ...{ LOAD_SMTP_HOST: installation.smtpHost, LOAD_SMTP_PORT: installation.smtpPort },
      ...{ LOAD_SUMMARY: summary, K6_NO_USAGE_REPORT: 'true' },
    },
  });
  const end = () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
    setTimeout(() => child.kill('SIGKILL'), patienceMs).unref();
  };
  interrupted.signal.addEventListener('abort', end, { once: true });
  return new Promise((done, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => done(code ?? 1));
  });
}

function withoutToken(words: readonly string[]): readonly string[] {
  return words.map((word, i) =>
    words[i - 1] === '--admin-token' ? '...' : word.replace(/^--admin-token=.*/, '--admin-token=...'),
  );
}

function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run this by \`npm run k6\``);
  return value;
}
