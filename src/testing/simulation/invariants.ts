/** The invariants, as questions asked of the world at the steps that could break them. */
import type { GrantRun } from '../../send/grant-run.ts';
import { readOutstanding } from './dispatch-statements.ts';
import type { TakenOver } from './sweep-statements.ts';
import { assertCounters, type Chunk, countRows, type Delivery } from './tables.ts';
import { Violation } from './violation.ts';
import { chunkOf } from './worker-statements.ts';
import { type Life, monotonic, type Sending, type World } from './world.ts';

const doubtBound = 'a crash leaves in doubt only the wire, two groups and what was not yet written';
/** result-writer.ts holds at most 512 results, eight groups. */
export const mostUnwrittenGroups = 8;
/** DESIGN 4: no message starts so long after a pause, a cancellation or a suppression was answered. */
const takesEffectWithinMs = 2_000;

/** At the hand-over, and again when the body is about to leave. */
export function assertMayBeSent(world: World, run: GrantRun, row: Delivery, { owner }: Life): void {
  const chunk = chunkOf(world.tables, run.grant);
  const isOurs = chunk.state === 'leased' && chunk.epoch === run.grant.epoch && chunk.owner === owner;
  if (isOurs && row.state === 'attempting' && row.epoch === run.grant.epoch) return;
  throw new Violation(
    'a message starts only under an intent and a lease of its own',
    `${row.name} is ${row.state} at ${row.epoch}; its chunk is ${chunk.state} at ${chunk.epoch}, ${chunk.owner}'s; ${owner} sends it at ${run.grant.epoch}`,
  );
}

export function assertStartsInTime({ time }: World, row: Delivery): void {
  const { stoppedAt, deadlineAt } = row.campaign;
  const since = Math.min(stoppedAt, deadlineAt, row.suppressedAt);
  if (time.now <= since + takesEffectWithinMs) return;
  throw new Violation('nothing starts after its bound', `${row.name} starts ${time.now - since} ms late`);
}

/** What the mail server took. */
export function acceptCopy(row: Delivery): void {
  row.copies++;
  if (row.copies > 1 + row.resends)
    throw new Violation(
      'only a resent doubt is sent twice',
      `${row.name}: ${row.copies} copies, ${row.resends} resends`,
    );
}

export function assertNobodyTrusts(world: World, chunk: Chunk): void {
  for (const sender of world.senders.values()) {
    const now = monotonic(world, sender);
    for (const run of sender.runs) {
      if (run.grant.chunkNo === chunk.key.chunkNo && run.isTrusted(now))
        throw new Violation(
          'one worker at most trusts its lease on a chunk',
          `${sender.owner}, chunk ${chunk.key.chunkNo}`,
        );
    }
  }
}

export function assertWindow({ tables, schedule }: World): void {
  for (const [destination, messages] of readOutstanding(tables)) {
    if (messages > schedule.window)
      throw new Violation(
        'the window holds',
        `destination ${destination} has ${messages} of ${schedule.window}`,
      );
  }
}

/** To be called when a send worker dies: what it leaves is bounded from now on. */
export function setDoubtBudget(world: World, { owner, wire, unwritten }: Sending): void {
  const { group, faults } = world.schedule;
  // An intent that is executed after its own retraction leaves rows nobody knows of. Row locks keep the two in order; `late` does not.
  if (faults.some((fault) => fault.kind === 'ledger' && fault.how === 'late')) return;
  // No intent is asked for while so many results wait; what was ready or on the wire then may still come on top.
  if (unwritten > mostUnwrittenGroups * group + 2 * group + wire)
    throw new Violation(doubtBound, `${unwritten} results of ${owner} were not written`);
  world.doubtBudgets.set(owner, wire + unwritten + 2 * group);
}

export function assertDoubtBudget(world: World, { owner, inDoubt }: TakenOver): void {
  const budget = owner === null ? undefined : world.doubtBudgets.get(owner);
  if (owner === null || budget === undefined) return;
  if (inDoubt > budget) throw new Violation(doubtBound, `${inDoubt} more, of ${owner}'s ${budget}`);
  world.doubtBudgets.set(owner, budget - inDoubt);
}

/** A worker that was told to stop has left nothing open; unless it could not write that down. */
export function assertDeployed({ tables, schedule }: World, { owner }: Sending): void {
  if (schedule.faults.some(({ kind }) => kind === 'ledger' || kind === 'stop')) return;
  const left = tables.chunks.find((chunk) => chunk.owner === owner);
  if (left)
    throw new Violation('a deploy leaves nothing in doubt', `${owner} left chunk ${left.key.chunkNo}`);
}

export function isQuiet({ tables }: World): boolean {
  return tables.chunks.every((chunk) => chunk.state === 'done');
}

/** Once nothing moves any more. */
export function assertEnd(world: World): void {
  for (const chunk of world.tables.chunks) {
    if (chunk.state !== 'done') throw lost(chunk);
    for (const row of chunk.rows) assertSettled(row);
    assertBlame(world, chunk);
  }
  for (const campaign of world.tables.campaigns) assertCounters(campaign, (chunk) => countRows(chunk.rows));
}

function lost(chunk: Chunk): Violation {
  const states = chunk.rows.map((row) => row.state).join(', ');
  return new Violation(
    'no delivery is lost',
    `chunk ${chunk.key.chunkNo} stays ${chunk.state} with ${states}`,
  );
}

function assertSettled(row: Delivery): void {
  if (row.copies > 0 && row.resends === 0 && row.state !== 'sent')
    throw new Violation('what was accepted is sent or in doubt', `${row.name} ended ${row.state}`);
}

/**
 * In the chunk of the poison no other message is taken for it. (A small chunk that is rendered beside it, and dies with it twice, is: that
 * is known, and not asked here.)
 */
function assertBlame({ poison, schedule }: World, chunk: Chunk): void {
  if (!poison || !chunk.rows.includes(poison) || schedule.faults.some(({ kind }) => isFatal.has(kind)))
    return;
  const blamed = chunk.rows.find((row) => row.skippedAsPoison && row !== poison);
  if (blamed) throw new Violation('only poison is skipped as poison', blamed.name);
}

/** Faults that count as crashes of whatever chunk they meet. */
const isFatal: ReadonlySet<string> = new Set(['crash', 'stop', 'ledger', 'job', 'deploy', 'flush']);
