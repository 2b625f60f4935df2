/** A courier and the mail server at its other end: message by message, with the checks of transport-sender.ts in their order. */
import type { Result } from '../../ledger/outcome.ts';
import { mayStart, type Outgoing } from '../../send/outgoing.ts';
import { toResult, toStranded } from '../../send/result-policy.ts';
import type { Outcome, Reply } from '../../transports/contract.ts';
import { acceptCopy, assertMayBeSent, assertStartsInTime } from './invariants.ts';
import type { ResultWriterModel } from './result-writer-model.ts';
import type { Answer } from './schedule.ts';
import type { SendState } from './send-state.ts';
import type { Delivery } from './tables.ts';
import type { Task } from './virtual-time.ts';
import { chunkOf } from './worker-statements.ts';
import { someMs } from './world.ts';

const rules = { firstDelayMs: 600 };
const handoversAtOnce = 3;
const brokenHoldMs = 1_000;
const stallMs = 1_500;
const longestAnswerMs = 2_000;
const ok: Reply = { code: 250, text: 'ok' };
const broken: Reply = { code: 0, text: 'the connection broke' };

/** Before the final dot: nothing was accepted. */
const refusals: Readonly<Partial<Record<Answer, Outcome>>> = {
  defer: { kind: 'deferred', reply: { code: 450, text: 'later' }, class: 'transient' },
  throttle: { kind: 'deferred', reply: { code: 421, text: 'less' }, class: 'throttled' },
  reject: { kind: 'rejected', reply: { code: 550, text: 'no' }, class: 'message' },
  'break before the body': { kind: 'untransmitted', reply: broken },
  'break in the body': { kind: 'deferred', reply: broken, class: 'transient' },
};

export class CourierModel {
  readonly #state: SendState;
  readonly #writer: ResultWriterModel;
  readonly #fill: () => void;

  constructor(state: SendState, writer: ResultWriterModel, fill: () => void) {
    this.#state = state;
    this.#writer = writer;
    this.#fill = fill;
  }

  *carry(): Task {
    const { ready, becameReady } = this.#state;
    for (;;) {
      const next = ready.shift();
      this.#fill();
      if (next) yield* this.#handOver(next);
      else yield becameReady;
    }
  }

  retract({ run, message }: Outgoing): void {
    this.#writer.write(run, { seq: message.seq, state: 'pending', replyCode: 0, reason: null });
  }

  *#handOver(outgoing: Outgoing): Task {
    const { run, message } = outgoing;
    const { now, isStopping } = this.#state;
    if (!this.#isTrusted(outgoing)) this.#state.stop(run);
    if (isStopping || !this.#mayStart(outgoing, now)) {
      this.retract(outgoing);
      return;
    }
    this.#state.wire++;
    const outcome = yield* this.#deliver(outgoing);
    this.#state.wire--;
    if (outcome.kind === 'untransmitted') this.#handOverAgain(outgoing, outcome.reply);
    else this.#writer.write(run, this.#resultOf(message.seq, outcome));
  }

  #resultOf(seq: number, outcome: Outcome): Result {
    return toResult(seq, outcome, rules, this.#state.world.random());
  }

  #mayStart(outgoing: Outgoing, now: number): boolean {
    const { freshness, trustBeforeBody } = this.#state.world.rules.protections;
    if (freshness && trustBeforeBody) return mayStart(outgoing, now);
    if (freshness) return mayStart({ ...outgoing, run: trusting }, now);
    return this.#isTrusted(outgoing);
  }

  #isTrusted({ run }: Outgoing): boolean {
    return !this.#state.world.rules.protections.trustBeforeBody || run.isTrusted(this.#state.now);
  }

  /** The dialogue, the 354, the last question, the body, the dot, the reply. */
  *#deliver(outgoing: Outgoing): Task<Outcome> {
    const { world } = this.#state;
    const row = chunkOf(world.tables, outgoing.run.grant).rows[outgoing.message.seq]!;
    assertStartsInTime(world, row);
    assertMayBeSent(world, outgoing.run, row, this.#state);
    const answer = world.faults.take('mail')?.answer;
    if (answer) world.tell?.(`the mail server and ${row.name}: ${answer}`);
    yield someMs(world, 2, 10) + (answer === 'stall before 354' ? stallMs : 0);
    if (answer !== 'break before the body' && !this.#isTrusted(outgoing))
      return { kind: 'untransmitted', reply: broken };
    const refusal = answer && refusals[answer];
    if (refusal?.kind === 'untransmitted') return refusal;
    assertMayBeSent(world, outgoing.run, row, this.#state);
    yield someMs(world, 1, 10);
    return refusal ?? (yield* this.#endBody(row, answer));
  }

  /** The final dot has left: from here on nobody but the server knows, until its reply is here. */
  *#endBody(row: Delivery, answer: Answer | undefined): Task<Outcome> {
    const { world } = this.#state;
    if (answer !== 'no answer, not accepted') {
      acceptCopy(row);
      world.tell?.(`the mail server accepts ${row.name} from ${this.#state.owner}`);
    }
    const isSilent = answer === 'no answer, not accepted' || answer === 'accept, no answer';
    yield isSilent || answer === 'accept, answer late' ? longestAnswerMs : someMs(world, 1, 6);
    return isSilent ? { kind: 'unknown', reply: broken } : { kind: 'accepted', reply: ok };
  }

  #handOverAgain(outgoing: Outgoing, reply: Reply): void {
    const { run, message } = outgoing;
    const { ready, becameReady, world } = this.#state;
    const failures = outgoing.failures + 1;
    if (failures < handoversAtOnce) {
      ready.unshift({ ...outgoing, failures });
      world.time.notify(becameReady);
      return;
    }
    this.#state.stop(run, brokenHoldMs);
    this.#writer.write(run, toStranded(message.seq, reply, rules, world.random()));
  }
}

const trusting = { isTrusted: () => true } as unknown as Outgoing['run'];
