import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { freePort, waitUntilReady } from './probe.mjs';
import { tail } from './run-command.mjs';

/** @typedef {import('./instance.mjs').Instance} Instance */

const STOP_TIMEOUT_MS = 10_000;
const PORT_TRIES = 3;

/**
 * @param {object} how
 * @param {(port: number) => ServerProcess} how.launch
 * @param {(server: ServerProcess, port: number) => Promise<unknown>} how.probe rejects until the server is ready
 * @param {number} how.timeoutMs
 */
export async function startOnFreePort({ launch, probe, timeoutMs }) {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    const server = launch(port);
    try {
      await waitUntilReady(() => probe(server, port), { timeoutMs, isHopeless: () => !server.isRunning });
      return port;
    } catch (error) {
      await server.stop();
      if (tries < PORT_TRIES && /address already in use/i.test(server.log)) continue;
      throw new Error(`${server.name}: ${/** @type {Error} */ (error).message}\n${server.lastWords}`);
    }
  }
}

/**
 * A database server as our child. It is in a session of its own, so that Ctrl-C in the terminal reaches us
 * and not the server: whoever uses it ends first.
 */
export class ServerProcess {
  /**
   * @param {string} name
   * @param {Instance} instance
   * @param {{ binary: string, args: string[], env: NodeJS.ProcessEnv, input?: string }} command
   */
  constructor(name, instance, { binary, args, env, input }) {
    this.name = name;
    this.logFile = `${instance.folder}/${name}.log`;
    const log = openSync(this.logFile, 'w', 0o600);
    this.child = spawn(binary, args, {
      cwd: instance.folder,
      env,
      stdio: [input === undefined ? 'ignore' : 'pipe', log, log],
      detached: true,
    });
    closeSync(log);
    this.ended = new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      this.child.once('exit', resolve);
      this.child.once('error', resolve);
    });
    if (this.child.pid) instance.addProcess(name, this.child.pid, this);
    this.child.stdin?.on('error', () => {});
    this.child.stdin?.end(input);
  }

  get isRunning() {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  get log() {
    return readFileSync(this.logFile, 'utf8');
  }

  get lastWords() {
    return tail(this.log);
  }

  /** For a run that ends by itself. @param {number} timeoutMs */
  async finish(timeoutMs) {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs);
    await this.ended;
    clearTimeout(timer);
    if (this.child.exitCode !== 0) throw new Error(`${this.name} failed\n${this.lastWords}`);
  }

  /** Ends it within a bound; a second call finds it ended. */
  async stop() {
    if (!this.isRunning) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  killNow() {
    if (this.isRunning) this.child.kill('SIGKILL');
  }
}
