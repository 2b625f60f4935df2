/** A send worker: send-stage.ts and lease-keeper.ts around the real GrantRun, with intake, couriers and result writer. */
import { formatGrant, type Grant } from '../../ledger/grant.ts';
import { type LeaseTerms, leaseTermsOf } from '../../ledger/lease.ts';
import type { GrantJob } from '../../queues/jobs.ts';
import type { RenderedMessage } from '../../render/message.ts';
import { GrantRun } from '../../send/grant-run.ts';
import { OpenBudget } from '../../send/open-budget.ts';
import { CourierModel } from './courier-model.ts';
import { IntakeModel } from './intake-model.ts';
import { callLedger, ledgerFailure } from './ledger-call.ts';
import { ResultWriterModel } from './result-writer-model.ts';
import { SendState } from './send-state.ts';
import type { Task } from './virtual-time.ts';
import { chunkOf, claimGrant, endGrant, renewLeases } from './worker-statements.ts';
import { type Life, someMs, type World } from './world.ts';

const couriers = 2;
const unreadableHoldMs = 1_000;
const nothing = { digest: '', segments: [] };

export class Sender {
  readonly state: SendState;
  readonly #world: World;
  readonly #terms: LeaseTerms;
  readonly #writer: ResultWriterModel;
  readonly #intake: IntakeModel;
  readonly #courier: CourierModel;
  readonly #active = new Set<string>();

  constructor(world: World, life: Life) {
    this.#world = world;
    const { protections, leaseMs } = world.rules;
    const terms = leaseTermsOf(leaseMs);
    this.#terms = protections.trustMargin ? terms : { ...terms, marginMs: 0 };
    this.state = new SendState(world, life);
    this.#intake = new IntakeModel(this.state, () => this.#writer);
    this.#writer = new ResultWriterModel(this.state, () => this.#intake.fill());
    this.#courier = new CourierModel(this.state, this.#writer, () => this.#intake.fill());
  }

  start(): void {
    const { time } = this.#world;
    const { host } = this.state;
    time.spawn(host, this.#consume());
    time.spawn(host, this.#renew(), this.#terms.renewEveryMs);
    for (let i = 0; i < couriers; i++) time.spawn(host, this.#courier.carry());
  }

  /** Starts nothing more; what is on the wire finishes, the rest is retracted. `ended` is called when all grants are. */
  *stop(ended: () => void): Task {
    this.state.isStopping = true;
    for (const run of this.state.runs) this.state.stop(run);
    for (const outgoing of this.state.ready.splice(0)) this.#courier.retract(outgoing);
    while (this.#active.size > 0) yield this.state.moved;
    ended();
  }

  *#consume(): Task {
    const { belt } = this.#world;
    for (;;) {
      const job = this.state.isStopping ? undefined : belt.take(this.#world, 'send');
      if (job) this.#work(job);
      else yield belt.arrived.send;
    }
  }

  #work(job: GrantJob): void {
    for (const grant of job.grants) this.#world.time.spawn(this.state.host, this.#sendGrant(grant));
  }

  /** What throws here fails the job; the chunk comes back when its lease is over. */
  *#sendGrant(grant: Grant): Task {
    const name = formatGrant(grant);
    if (this.#world.rules.protections.jobWorkedOnce && this.#active.has(name)) return;
    this.#active.add(name);
    try {
      yield* this.#claimAndSend(grant, name);
    } catch (error) {
      if (error !== ledgerFailure) throw error;
    }
    this.#active.delete(name);
    this.#world.time.notify(this.state.moved);
  }

  *#claimAndSend(grant: Grant, name: string): Task {
    const { tables, time, rules, belt } = this.#world;
    const { owner } = this.state;
    const chunk = chunkOf(tables, grant);
    const claimedAt = this.state.now;
    if (!(yield* callLedger(this.#world, () => claimGrant(chunk, grant, owner, time.now, rules)))) return;
    this.#world.tell?.(`S2 ${owner} has chunk ${grant.chunkNo} at ${grant.epoch}`);
    yield someMs(this.#world, 0, 3);
    const run = this.#runOf(grant, claimedAt, belt.store.get(name));
    yield* this.#send(run);
    const holdMs = run.holdMs;
    yield* callLedger(this.#world, () => endGrant(chunk, grant, { owner, holdMs }, time.now, rules));
    belt.store.delete(name);
  }

  #runOf(grant: Grant, claimedAt: number, seqs: readonly number[] | undefined): GrantRun {
    const messages = (seqs ?? []).map((seq) => ({ seq }) as RenderedMessage);
    const run = new GrantRun({
      grant,
      claimedAt,
      messages,
      lease: this.#terms,
      terms: { includedLists: [], buckets: [], sendingDomain: null },
      class: 2,
      budget: new OpenBudget(),
      compiled: nothing,
    });
    if (!seqs || this.state.isStopping) run.stop(seqs ? 0 : unreadableHoldMs);
    return run;
  }

  *#send(run: GrantRun): Task {
    this.state.runs.add(run);
    this.#intake.fill();
    while (run.waiting > 0 || run.open > 0) yield this.state.moved;
    this.state.runs.delete(run);
  }

  *#renew(): Task {
    const { tables, time, rules } = this.#world;
    const { runs, owner } = this.state;
    for (;;) {
      const asked = this.state.now;
      const kept = [...runs];
      const grants = kept.map((run) => run.grant);
      try {
        const lost = yield* callLedger(this.#world, () =>
          renewLeases(tables, grants, owner, time.now, rules),
        );
        for (const run of kept) {
          if (!lost.has(run.grant)) run.renewed(asked);
          else if (runs.has(run)) this.state.lose(run);
        }
      } catch (error) {
        if (error !== ledgerFailure) throw error;
      }
      yield this.#terms.renewEveryMs;
    }
  }
}
