/** The tables of docs/guarantees.md: what was injected, what was seen, and what is seen without the protection. Pure. */
import type { ResultsFile } from '../../src/testing/faults/results-file.ts';

type Row = ResultsFile['results'][number];

export function formatExperiments(files: readonly ResultsFile[]): string {
  const rows = files.flatMap((file) => file.results);
  const experiments = lastOf(
    rows.filter((row) => row.withoutProtection === undefined),
    (row) => row.name,
  );
  const groups = [...new Set(experiments.map((row) => row.group))];
  return [
    ...files.map(formatRun),
    '',
    ...groups.flatMap((group) =>
      formatGroup(
        group,
        experiments.filter((row) => row.group === group),
      ),
    ),
    ...formatMutants(
      lastOf(
        rows.filter((row) => row.withoutProtection !== undefined),
        (row) => row.withoutProtection,
      ),
    ),
    '',
  ].join('\n');
}

function formatRun({ commit, at, machine, tookMs, results }: ResultsFile): string {
  const failed = results.filter((row) => !row.isAsExpected).length;
  const day = at.slice(0, 10);
  const asExpected = `${results.length - failed} of ${results.length} as expected, in ${Math.round(tookMs / 1000)} s`;
  return `- ${day}, commit ${commit}, ${machine}: ${describeRun(results)}. ${asExpected}${formatUnexpected(results)}.`;
}

/** What kind of run it was: the whole suite with its seeds, the mutants, one nemesis. */
function describeRun(results: readonly Row[]): string {
  const mutants = results.filter((row) => row.withoutProtection !== undefined).length;
  const nemeses = results.filter((row) => row.group === 'nemesis').map((row) => row.name);
  const experiments = results.length - mutants - nemeses.length;
  return [
    ...(experiments > 0 ? [`${experiments} experiments`] : []),
    ...(mutants > 0 ? [`${mutants} mutants`] : []),
    ...nemeses,
  ].join(', ');
}

function formatUnexpected(results: readonly Row[]): string {
  const names = results.filter((row) => !row.isAsExpected).map((row) => row.name);
  return names.length === 0 ? '' : `; not: ${names.join('; ')}`;
}

function formatGroup(group: string, rows: readonly Row[]): readonly string[] {
  return [
    `### ${group.charAt(0).toUpperCase()}${group.slice(1)}`,
    '',
    '| injected | expected | seen | recovered | verdict |',
    '|---|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| ${cell(row.injected)} | ${cell(row.expected)} | ${formatSeen(row)} | ${seconds(row.recoveredMs)} | ${row.passed ? 'holds' : '**fails**'} |`,
    ),
    '',
  ];
}

function formatMutants(rows: readonly Row[]): readonly string[] {
  if (rows.length === 0) return [];
  return [
    '### Without its protection',
    '',
    '| protection taken out | experiment | what went wrong |',
    '|---|---|---|',
    ...rows.map(
      (row) => `| ${cell(row.withoutProtection ?? '')} | ${cell(row.name)} | ${formatFailure(row)} |`,
    ),
    '',
  ];
}

function formatFailure({ violations, passed, maySurvive }: Row): string {
  if (passed) return `nothing: ${maySurvive ?? 'another protection holds'}`;
  const [first = ''] = violations;
  return cell(first.replaceAll(/\d{6,}-\d{6,}-/g, 'chunk '));
}

function formatSeen({ seen }: Row): string {
  if (!seen) return 'nothing';
  return `${seen.accepted} accepted for ${seen.recipients}, ${seen.settled} in doubt, ${seen.doubled} doubled, ${seen.lost} assumed`;
}

/** The last run of each. */
function lastOf(rows: readonly Row[], nameOf: (row: Row) => string | undefined): readonly Row[] {
  return [...new Map(rows.map((row) => [nameOf(row), row])).values()];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
