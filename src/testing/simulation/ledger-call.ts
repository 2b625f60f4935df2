/**
 * A statement as its caller sees it: some time passes until it is executed, and some until the answer is here. It may be refused; executed, and
 * the answer lost; or executed long after the caller gave up. The caller can't tell these apart.
 */
import type { Task } from './virtual-time.ts';
import { someMs, type World } from './world.ts';

/** Made once: a stack trace for each would cost more than the run. */
export const ledgerFailure = new Error('the statement failed, as far as its caller knows');

const slowOne = 0.01;
const longestLateMs = 1_500;

export function* callLedger<T>(world: World, statement: () => T): Task<T> {
  yield latencyMs(world);
  const how = nextTrouble(world);
  if (how === 'late') executeLater(world, statement);
  if (how === 'late' || how === 'refused') throw ledgerFailure;
  const answer = statement();
  yield latencyMs(world);
  if (how === 'unheard') throw ledgerFailure;
  return answer;
}

function latencyMs(world: World): number {
  return world.random() < slowOne ? someMs(world, 20, 800) : someMs(world, 1, 4);
}

function nextTrouble(world: World): 'refused' | 'unheard' | 'late' | undefined {
  const fault = world.trouble ?? world.faults.take('ledger');
  if (fault === undefined) return undefined;
  const left = ('left' in fault ? fault.left : fault.times) - 1;
  world.trouble = left > 0 ? { how: fault.how, left } : undefined;
  world.tell?.(`the ledger's next statement: ${fault.how}`);
  return fault.how;
}

function executeLater(world: World, statement: () => unknown): void {
  world.time.spawn(world.outside, execute(statement), someMs(world, 1, longestLateMs));
}

// biome-ignore lint/correctness/useYield: it waits nowhere.
function* execute(statement: () => unknown): Task {
  statement();
}
