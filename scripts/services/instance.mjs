import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { endProject } from './compose-project.mjs';
import { runFolder } from './layout.mjs';
import { identify, isRunning, kill } from './process-identity.mjs';

/**
 * One run's private folder, `.sluice/run/<host>/<label>@<owner's identity>/`. The name says whose it is, so
 * a run that was killed is recognised by its name alone: its owner is gone. The host is in the path because
 * a checkout may be shared with a container, whose processes are not seen from here.
 *
 * Beside the data it holds what a later run has to end: `<server>.process`, `<name>.compose`, `<name>.folder`.
 */
const hostFolder = join(runFolder, hostname());

// A unix socket's path must fit into 104 bytes (macOS; 108 on Linux).
const LONGEST_SOCKET_PATH = 99;

/** @typedef {{ stop(): Promise<void>, killNow(): void }} Stoppable */

export class Instance {
  /** @type {Stoppable[]} */
  #started = [];
  isClosed = false;

  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
  }

  /** @param {string} server @param {number} pid @param {Stoppable} stoppable */
  addProcess(server, pid, stoppable) {
    this.#started.push(stoppable);
    this.#note(`${server}.process`, identify(pid) ?? '');
  }

  /** @param {string} project @param {Stoppable} stoppable */
  addComposeProject(project, stoppable) {
    this.#started.push(stoppable);
    this.#note(`${project}.compose`, project);
  }

  /** @param {string} name a file name such as mysql.sock */
  socketPath(name) {
    const path = join(this.folder, name);
    if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
    const short = mkdtempSync(join(tmpdir(), 'sluice-'));
    this.#note(`${name}.folder`, short);
    return join(short, name);
  }

  /** @param {string} name @returns {string} a new, empty folder of that name */
  emptyFolder(name) {
    const path = join(this.folder, name);
    removeFolder(path);
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** Bounded, as each server's stop is. */
  async close() {
    this.isClosed = true;
    await Promise.allSettled(this.#started.map((server) => server.stop()));
    this.#remove();
  }

  /** For the process's own 'exit' event, where nothing can be awaited. */
  closeNow() {
    for (const server of this.#started) server.killNow();
    this.#remove();
  }

  /** Ends what a killed run left behind, then removes its data. */
  async endLeftovers() {
    for (const identity of this.#notes('.process')) {
      if (!(await kill(identity))) throw new Error(`process ${identity} does not end`);
    }
    for (const project of this.#notes('.compose')) await endProject(project);
    this.#remove();
  }

  #remove() {
    for (const short of this.#notes('.folder')) removeFolder(short);
    removeFolder(this.folder);
  }

  /** @param {string} file @param {string} text */
  #note(file, text) {
    writeFileSync(join(this.folder, file), text);
  }

  /** @param {string} suffix */
  #notes(suffix) {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .filter((file) => file.endsWith(suffix))
      .map((file) => readFileSync(join(this.folder, file), 'utf8').trim());
  }
}

/** @param {string} label @param {string} [parent] @returns {Instance} */
export function openInstance(label, parent = hostFolder) {
  mkdirSync(parent, { recursive: true });
  const folder = join(parent, `${label}@${identify(process.pid)}`);
  mkdirSync(folder, { mode: 0o700 });
  return new Instance(folder);
}

/**
 * Cleans up after runs that were killed. A run that is still alive is never touched.
 * @param {(line: string) => void} log
 * @param {string} [parent]
 */
export async function sweepKilledRuns(log, parent = hostFolder) {
  for (const folder of instanceFolders(parent)) {
    if (isRunning(folder.slice(folder.lastIndexOf('@') + 1))) continue;
    try {
      await new Instance(folder).endLeftovers();
      log(`cleaned up after a run that was killed: ${basename(folder)}`);
    } catch (error) {
      log(`could not clean up ${folder}: ${/** @type {Error} */ (error).message}`);
    }
  }
}

/** @param {string} parent */
function instanceFolders(parent) {
  try {
    return readdirSync(parent).map((name) => join(parent, name));
  } catch {
    return [];
  }
}

/** A server that is being killed may still create a file: tried again a few times. @param {string} folder */
function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}
