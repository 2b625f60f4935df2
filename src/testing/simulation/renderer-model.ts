/** A render worker: render-stage.ts without the rendering. A poisonous recipient kills it. */
import { formatGrant, type Grant } from '../../ledger/grant.ts';
import type { GrantJob } from '../../queues/jobs.ts';
import { callLedger, ledgerFailure } from './ledger-call.ts';
import type { Task } from './virtual-time.ts';
import {
  beginRendering,
  chunkOf,
  finishRendering,
  readRecipients,
  recordPoison,
} from './worker-statements.ts';
import { type Life, monotonic, someMs, type World } from './world.ts';

export class Renderer {
  readonly #world: World;
  readonly #life: Life;
  readonly #die: () => void;

  constructor(world: World, life: Life, die: () => void) {
    this.#world = world;
    this.#life = life;
    this.#die = die;
  }

  start(): void {
    this.#world.time.spawn(this.#life.host, this.#consume());
  }

  *#consume(): Task {
    const { belt, time } = this.#world;
    for (;;) {
      const job = belt.take(this.#world, 'render');
      if (job) time.spawn(this.#life.host, this.#work(job));
      else yield belt.arrived.render;
    }
  }

  /** Grants that fail are left out: their chunks come back when their leases are over. */
  *#work(job: GrantJob): Task {
    const until = this.#now() + this.#world.rules.leaseMs / 3;
    const grants: Grant[] = [];
    for (const grant of job.grants)
      if (this.#now() >= until || !(yield* hasFailed(this.#renderGrant(grant)))) grants.push(grant);
    if (grants.length > 0) this.#world.belt.enqueue(this.#world, 'send', { ...job, grants });
  }

  *#renderGrant(grant: Grant): Task {
    const { owner } = this.#life;
    const { tables, time, rules } = this.#world;
    const chunk = chunkOf(tables, grant);
    const finish = () => this.#call(() => finishRendering(chunk, grant, owner, time.now, rules));
    try {
      if (!(yield* this.#call(() => beginRendering(chunk, grant, owner, time.now, rules)))) return;
      yield* this.#renderBegun(grant);
      yield* finish();
    } catch (error) {
      yield* hasFailed(finish());
      throw error;
    }
  }

  *#renderBegun(grant: Grant): Task {
    const { tables, time, rules, poison, belt } = this.#world;
    const chunk = chunkOf(tables, grant);
    const { recipients, isPoisoned } = yield* this.#call(() => readRecipients(chunk, grant, time.now, rules));
    const [first] = recipients;
    if (isPoisoned && first && rules.protections.poisonQuarantined) {
      yield* this.#call(() => recordPoison(chunk, grant, first));
      return;
    }
    yield someMs(this.#world, 1, 6);
    if (poison && recipients.includes(poison)) {
      this.#die();
      yield 0;
    }
    belt.store.set(
      formatGrant(grant),
      recipients.map((row) => row.seq),
    );
  }

  #now(): number {
    return monotonic(this.#world, this.#life);
  }

  #call<T>(statement: () => T): Task<T> {
    return callLedger(this.#world, statement);
  }
}

/** Does the task, and answers whether the ledger failed it. */
function* hasFailed(task: Task): Task<boolean> {
  try {
    yield* task;
    return false;
  } catch (error) {
    if (error === ledgerFailure) return true;
    throw error;
  }
}
