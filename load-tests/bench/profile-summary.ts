/** What a `--cpu-prof` file says, by part of the process: where a worker's time goes. Pure. */

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** µs before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface Part {
  readonly name: string;
  readonly micros: number;
}

export interface ProfileSummary {
  readonly busyMicros: number;
  /** Largest first. */
  readonly parts: readonly Part[];
  readonly functions: readonly Part[];
}

type Frame = CpuProfile['nodes'][number]['callFrame'];

/** Written by native code on behalf of sockets: the system calls themselves. */
const socketWrites = new Set(['writeBuffer', 'writev', 'writeUtf8String', 'writeLatin1String']);

export function summarize({ nodes, samples, timeDeltas }: CpuProfile): ProfileSummary {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byPart = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let busyMicros = 0;
  for (const [i, id] of samples.entries()) {
    const frame = frames.get(id) as Frame;
    if (frame.functionName === '(idle)') continue;
    const micros = timeDeltas[i] as number;
    busyMicros += micros;
    add(byPart, partOf(frame), micros);
    add(byFunction, nameOf(frame), micros);
  }
  return { busyMicros, parts: sorted(byPart), functions: sorted(byFunction) };
}

function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}

function sorted(sums: ReadonlyMap<string, number>): readonly Part[] {
  return [...sums].map(([name, micros]) => ({ name, micros })).sort((a, b) => b.micros - a.micros);
}

function partOf({ functionName, url }: Frame): string {
  if (functionName === '(garbage collector)') return 'garbage collection (main thread)';
  if (socketWrites.has(functionName)) return 'socket writes (system calls)';
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (library) return library;
  const own = /dist\/(src\/[^/]+|workers)/.exec(url)?.[1];
  if (own) return own;
  if (url.startsWith('node:'))
    return /loader|module|vm/.test(url) ? 'loading modules' : `node: ${moduleOf(url)}`;
  return 'engine';
}

function moduleOf(url: string): string {
  if (/stream|net|_http/.test(url)) return 'streams and sockets';
  if (/crypto/.test(url)) return 'crypto';
  if (/buffer/.test(url)) return 'buffers';
  return 'other';
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const place = url === '' ? '' : ` ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
  return `${functionName || '(anonymous)'}${place}`;
}
