/**
 * How fast each destination takes mail, what waits, and why it is not faster: the API's own figures as a table that refreshes.
 *
 *   npm run lanes -- --url http://localhost:8080 --key KEY [--lanes] [--watch] [--admin]
 */
import { type LanesArguments, readArguments, usage } from './lanes/arguments.ts';
import {
  formatDestinations,
  formatLanes,
  type ShownDestination,
  type ShownLane,
} from './lanes/pace-tables.ts';
import { readRows } from './lanes/read-rows.ts';

const everyMs = 2_000;
const toTop = '\x1b[H';
const clearLine = '\x1b[K';
const clearBelow = '\x1b[J';

const args = readArguments(process.argv.slice(2), process.env);
if ('error' in args) {
  process.stderr.write(`${args.error}\n\n${usage}\n`);
  process.exitCode = 2;
} else {
  process.exitCode = args.isWatching && process.stdout.isTTY ? await watch(args) : await printOnce(args);
}

async function printOnce(options: LanesArguments): Promise<number> {
  const screen = await readScreen(options);
  const out = screen.failure === undefined ? process.stdout : process.stderr;
  out.write(`${screen.lines.join('\n')}\n`);
  return screen.failure === undefined ? 0 : 1;
}

/** Until Ctrl-C, which ends the process by itself. What may pass by itself is shown in place, and tried again. */
async function watch(options: LanesArguments): Promise<number> {
  process.stdout.write(`${toTop}${clearBelow}`);
  for (;;) {
    // A terminal that doesn't know its size says 0.
    const [width, height] = [process.stdout.columns || 120, process.stdout.rows || 40];
    const { lines, failure } = await readScreen(options, width);
    if (failure === 'final') {
      process.stderr.write(`${lines.join('\n')}\n`);
      return 1;
    }
    const shown = [`${new Date().toLocaleTimeString()}  ${options.url.host}`, ...lines].slice(0, height - 1);
    process.stdout.write(`${toTop}${shown.map((line) => line + clearLine).join('\n')}\n${clearBelow}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

interface Screen {
  readonly lines: readonly string[];
  readonly failure?: 'final' | 'passing';
}

async function readScreen({ url, key, shows, isAdmin }: LanesArguments, width?: number): Promise<Screen> {
  const path = isAdmin ? '/v1/platform/destinations' : `/v1/${shows}`;
  const listing = await readRows<unknown>(url, path, key);
  if (listing.kind === 'failed')
    return { lines: [listing.why], failure: listing.isFinal ? 'final' : 'passing' };
  const { rows, hasMore } = listing;
  if (rows.length === 0) return { lines: [`No ${shows} yet: they are there once a campaign has started.`] };
  const table = { nowMs: Date.now(), width };
  const lines =
    shows === 'lanes'
      ? formatLanes(rows as ShownLane[], table)
      : formatDestinations(rows as ShownDestination[], table);
  return { lines: hasMore ? [...lines, `... and more than these ${rows.length}`] : lines };
}
