/** The sizing table of docs/operations.md, made from the kept run of the bench that its marker names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MeasuredRun, peakMemory, plainRuns } from './bench-usage.ts';

const section = /(<!-- sizing:(\S+):start -->\n)[\s\S]*?(<!-- sizing:end -->)/;

/** The page with the table between its markers. To size by another run, name that in the marker and run `npm run docs`. */
export function insertSizingTable(page: string, root: string): string {
  const file = section.exec(page)?.[2];
  if (!file) throw new Error('docs/operations.md needs <!-- sizing:FILE:start --> and <!-- sizing:end -->');
  const result = JSON.parse(readFileSync(join(root, file), 'utf8'));
  const table = renderSizingTable(plainRuns(result), { file, machine: result.figures.machine });
  return page.replace(section, (_, start, __, end) => `${start}${table}${end}`);
}

export function renderSizingTable(
  runs: readonly MeasuredRun[],
  { file, machine }: { readonly file: string; readonly machine: string },
): string {
  const rows = [...peakMemory(runs)].map(([process, peakMb]) => {
    const rates = runs.map(({ messages, usage }) => Math.round(messages / (usage[process]?.cpuSeconds ?? 0)));
    const [least, most] = [Math.min(...rates), Math.max(...rates)];
    return `| ${process} | ${least === most ? least : `${least} to ${most}`} | ${peakMb} MB |`;
  });
  const source = `From [${file}](../${file}), on ${machine}; the range is over the sizes of message and of campaign that it sent, unsigned and without TLS.`;
  return `${source}\n\n| process | messages per second of CPU | most memory |\n|---|---|---|\n${rows.join('\n')}\n`;
}
