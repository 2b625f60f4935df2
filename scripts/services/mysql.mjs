import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { greetMysql } from './probe.mjs';
import { run } from './run-command.mjs';
import { ServerProcess, startOnFreePort } from './server-process.mjs';

/**
 * @typedef {import('./instance.mjs').Instance} Instance
 * @typedef {{ binary: string, env: NodeJS.ProcessEnv }} Program a server binary and the environment it needs
 * @typedef {{ isMariaDb: boolean, version: string }} Edition
 * @typedef {{ url: string, description: string }} RunningService
 */

const OLDEST = { MariaDB: [10, 6], MySQL: [8, 0] };
const READY_TIMEOUT_MS = 60_000;

/**
 * Starts a private MySQL or MariaDB on a free loopback port, with an empty database `sluice`.
 * @param {Program} program
 * @param {Instance} instance
 * @returns {Promise<RunningService>}
 */
export async function startMysql(program, instance) {
  const edition = await readEdition(program);
  const common = commonArguments(program, edition, instance);
  await createSystemTables(program, edition, instance, common);
  const password = randomBytes(18).toString('hex');
  const args = [...common, ...serverArguments(instance, writeInitFile(instance, password))];
  const { binary, env } = program;
  const port = await startOnFreePort({
    launch: (port) =>
      new ServerProcess('mysql', instance, { binary, args: [...args, `--port=${port}`], env }),
    probe: answersAsOurs,
    timeoutMs: READY_TIMEOUT_MS,
  });
  return {
    url: `mysql://sluice:${password}@127.0.0.1:${port}/sluice`,
    description: `${edition.isMariaDb ? 'MariaDB' : 'MySQL'} ${edition.version} (${binary})`,
  };
}

/** @param {Program} program @returns {Promise<Edition>} */
async function readEdition({ binary, env }) {
  const banner = await run(binary, ['--no-defaults', '--version'], { env });
  const version = /Ver (\d+\.\d+\.\d+)/.exec(banner)?.[1];
  if (!version) throw new Error(`${binary} does not tell its version: ${banner.trim()}`);
  const isMariaDb = banner.includes('MariaDB');
  const [oldestMajor, oldestMinor] = /** @type {[number, number]} */ (
    OLDEST[isMariaDb ? 'MariaDB' : 'MySQL']
  );
  const [major, minor] = /** @type {[number, number]} */ (version.split('.').map(Number));
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(`${binary} is ${version}, and at least ${oldestMajor}.${oldestMinor} is needed`);
  }
  return { isMariaDb, version };
}

/**
 * Options of both the bootstrap and the server. The message and character set files are named because a
 * server unpacked into a cache folder looks for them below /usr.
 * @param {Program} program
 * @param {Edition} edition
 * @param {Instance} instance
 */
function commonArguments({ binary }, { isMariaDb }, instance) {
  const temporary = instance.emptyFolder('mysql-tmp');
  const share = shareFolder(binary, 'english/errmsg.sys');
  return [
    '--no-defaults',
    `--datadir=${instance.emptyFolder('mysql')}`,
    // A server that starts removes every temporary table from its tmpdir, and so those of the others in /tmp.
    `--tmpdir=${temporary}`,
    // MySQL's compiled-in folder exists only where it is installed.
    `--secure-file-priv=${temporary}`,
    ...(share ? [`--lc-messages-dir=${share}`, `--character-sets-dir=${share}/charsets`] : []),
    ...(isMariaDb ? ['--innodb-log-file-size=512M'] : ['--loose-innodb-redo-log-capacity=512M']),
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ];
}

/**
 * For MariaDB it is what mariadb-install-db feeds to the server, less the help texts and the sys schema.
 * @param {Program} program
 * @param {Edition} edition
 * @param {Instance} instance
 * @param {string[]} common
 */
async function createSystemTables({ binary, env }, { isMariaDb }, instance, common) {
  const how = isMariaDb
    ? {
        args: ['--bootstrap', '--log-warnings=0', '--max-allowed-packet=8M'],
        input: mariadbSystemTables(binary),
      }
    : { args: ['--initialize-insecure'] };
  const bootstrap = { ...how, binary, env, args: [...common, ...how.args] };
  await new ServerProcess('mysql-bootstrap', instance, bootstrap).finish(READY_TIMEOUT_MS);
}

/** @param {string} binary */
function mariadbSystemTables(binary) {
  const prefix = ['mysql', 'mariadb'].find((name) => shareFolder(binary, `${name}_system_tables.sql`));
  if (!prefix) throw new Error(`the SQL files that create the system tables of ${binary} were not found`);
  const share = shareFolder(binary, `${prefix}_system_tables.sql`);
  const files = ['system_tables', 'performance_tables', 'system_tables_data'];
  return [
    'CREATE DATABASE IF NOT EXISTS mysql;',
    'USE mysql;',
    // Unset, it would create roots without a password, on TCP too.
    "SET @auth_root_socket='root';",
    ...files.map((file) => readFileSync(`${share}/${prefix}_${file}.sql`, 'utf8')),
  ].join('\n');
}

/** The folder with a server's SQL and message files lies beside its bin, sbin or libexec. @param {string} binary @param {string} file */
function shareFolder(binary, file) {
  const prefix = dirname(dirname(realpathSync(binary)));
  const folders = ['mysql', 'mariadb', ''].map((name) => join(prefix, 'share', name));
  return folders.find((folder) => existsSync(join(folder, file)));
}

/**
 * The init file runs before the first connection is accepted. MySQL's `--initialize-insecure` leaves root
 * without a password, so the file gives it one; one statement per line is what the server expects.
 * @param {Instance} instance
 * @param {string} password
 */
function writeInitFile(instance, password) {
  const file = join(instance.folder, 'init.sql');
  const statements = [
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${randomBytes(18).toString('hex')}'`,
    'CREATE DATABASE sluice CHARACTER SET utf8mb4',
    ...['127.0.0.1', 'localhost'].flatMap((host) => [
      `CREATE USER 'sluice'@'${host}' IDENTIFIED BY '${password}'`,
      `GRANT ALL PRIVILEGES ON *.* TO 'sluice'@'${host}'`,
    ]),
  ];
  writeFileSync(file, statements.map((statement) => `${statement};\n`).join(''), { mode: 0o600 });
  return file;
}

/** @param {Instance} instance @param {string} initFile */
function serverArguments(instance, initFile) {
  return [
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--loose-mysqlx=OFF',
    `--socket=${instance.socketPath('mysql.sock')}`,
    `--pid-file=${instance.folder}/mysql.pid`,
    `--init-file=${initFile}`,
    '--character-set-server=utf8mb4',
    '--max-connections=400',
    '--local-infile=1',
    '--skip-log-bin',
    '--innodb-buffer-pool-size=512M',
    '--innodb-flush-log-at-trx-commit=1',
    // Its data is thrown away after it stops.
    '--innodb-fast-shutdown=2',
  ];
}

/** A greeting alone could be another server's that took the port first. @param {ServerProcess} server @param {number} port */
async function answersAsOurs(server, port) {
  if (!server.log.includes('ready for connections')) throw new Error('it has not said that it is ready');
  await greetMysql({ host: '127.0.0.1', port });
}
