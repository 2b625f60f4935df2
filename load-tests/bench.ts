/**
 * The bench: the whole pipeline from REST to ledger, against what people write today and against C, in one run on one machine; what it
 * costs by size; and each stage by itself.
 *
 *   npm run bench -- [--quick] [--huge] [--only PART,PART] [--json FILE]
 *
 * Parts: compared, sent, backlogs, disturbance, tls, signing, send-workers, stages, or one stage by its name (compile, render, ...). `--quick` takes less than two minutes and makes the same ratios
 * of smaller sizes; the result names them. `--huge` sends ten million once, and has ten million pending: more than an hour.
 *
 * Absolute figures vary with the machine; the ratios are what to compare.
 */
import { parseArgs } from 'node:util';
import { describeMachine, readCommit } from '../src/testing/measured-on.ts';
import { measureBacklogs } from './bench/backlog.ts';
import { basisOf, type Figures, ratiosOf, saveResult } from './bench/bench-report.ts';
import { compareAll } from './bench/compare.ts';
import type { BenchContext } from './bench/context.ts';
import { measureDisturbance } from './bench/disturbance.ts';
import { measureFlatCost } from './bench/flat-cost.ts';
import { formatFigures } from './bench/format-figures.ts';
import { startInstallation } from './bench/installation.ts';
import { createLists } from './bench/lists.ts';
import { planBench } from './bench/plan.ts';
import { measureSendWorkers } from './bench/send-workers.ts';
import { measureSigning } from './bench/signing.ts';
import { measureStages } from './bench/stages.ts';
import { measureTls } from './bench/tls.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    huge: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const plan = planBench({ isQuick: values.quick, isHuge: values.huge });
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Send workers are added one by one and stay, so they come last. */
const parts = {
  compared: async (context: BenchContext) => ({ compared: await compareAll(context) }),
  sent: async (context: BenchContext) => ({
    sent: await measureFlatCost(context),
    importPerSecond: await measureImport(context),
  }),
  backlogs: async (context: BenchContext) => ({ backlogs: await measureBacklogs(context) }),
  disturbance: async (context: BenchContext) => ({ disturbance: await measureDisturbance(context) }),
  tls: async (context: BenchContext) => ({ tls: await measureTls(context) }),
  signing: async (context: BenchContext) => ({ signing: await measureSigning(context) }),
  'send-workers': async (context: BenchContext) => ({ sendWorkers: await measureSendWorkers(context) }),
};
/** The others make no ratio; with `--quick` they are run when they are named. */
const quickParts = ['compared', 'sent', 'backlogs'];
const only = values.only?.split(',');
const wholeParts = Object.entries(parts).filter(([name]) =>
  only === undefined ? !values.quick || quickParts.includes(name) : only.includes(name),
);
const stages = only?.filter((name) => !(name in parts));
for (const name of stages ?? [])
  if (name !== 'stages' && !(name in plan.stages)) throw new Error(`there is no part ${name}`);

const measured: Partial<Figures> = {
  ...(wholeParts.length > 0 && (await measureWhole())),
  ...(stages?.length !== 0 && { stages: await runStages() }),
};
const about = {
  machine: describeMachine(),
  commit: readCommit(),
  at: new Date().toISOString(),
  command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
};
const figures: Figures = { ...about, ...measured, basis: basisOf({ ...about, ...measured }) };
say(`\n${formatFigures(ratiosOf(figures), figures)}`);
say(`kept as ${saveResult(figures, values.json)}`);
process.exit(0);

function runStages() {
  return measureStages({ plan, only: stages?.includes('stages') ? undefined : stages, say });
}

async function measureWhole(): Promise<Partial<Figures>> {
  const installation = await startInstallation();
  try {
    const lists = createLists(installation);
    const context: BenchContext = { plan, installation, lists, say };
    let found: Partial<Figures> = { target: installation.target.name };
    for (const [, measure] of wholeParts) found = { ...found, ...(await measure(context)) };
    return found;
  } finally {
    await installation.stop();
  }
}

/** Of the largest list, imported already. */
async function measureImport({ lists }: BenchContext): Promise<number> {
  const { recipients, seconds } = await lists(Math.max(...plan.sentSizes));
  return recipients / seconds;
}
