/** intake.ts at its greediest: it always wants as much ready as it may ever have, two groups. */
import type { IntentResult } from '../../ledger/intent.ts';
import type { RenderedMessage } from '../../render/message.ts';
import type { GrantRun } from '../../send/grant-run.ts';
import { callLedger, ledgerFailure } from './ledger-call.ts';
import type { ResultWriterModel } from './result-writer-model.ts';
import type { SendState } from './send-state.ts';
import type { Task } from './virtual-time.ts';
import { chunkOf, recordIntent } from './worker-statements.ts';

const ledgerPauseMs = 500;

export class IntakeModel {
  readonly #state: SendState;
  readonly #writer: () => ResultWriterModel;
  #isHeld = false;

  constructor(state: SendState, writer: () => ResultWriterModel) {
    this.#state = state;
    this.#writer = writer;
  }

  fill(): void {
    const { world, host } = this.#state;
    for (let run = this.#runToFeed(); run; run = this.#runToFeed()) {
      const messages = run.take(Math.min(this.#missing(), world.schedule.group));
      this.#state.asked += messages.length;
      world.time.spawn(host, this.#ask(run, messages));
    }
  }

  #runToFeed(): GrantRun | undefined {
    const { isStopping, runs } = this.#state;
    if (this.#isHeld || isStopping || !this.#writer().hasRoom || this.#missing() <= 0) return undefined;
    for (const run of runs) if (run.waiting > 0) return run;
    return undefined;
  }

  #missing(): number {
    const { ready, asked, world } = this.#state;
    return 2 * world.schedule.group - ready.length - asked;
  }

  *#ask(run: GrantRun, messages: readonly RenderedMessage[]): Task {
    const { world } = this.#state;
    const { freshnessFromAsking, intentBeforeSend } = world.rules.protections;
    const askedAt = this.#state.now;
    try {
      if (!intentBeforeSend) this.#admit(run, messages, askedAt);
      const result = yield* this.#intend(run, messages);
      if (intentBeforeSend)
        this.#accept(run, messages, result, freshnessFromAsking ? askedAt : this.#state.now);
    } catch (error) {
      if (error !== ledgerFailure) throw error;
      if (intentBeforeSend) this.#retractAll(run, messages);
      world.time.spawn(this.#state.host, this.#hold());
    }
    this.#state.asked -= messages.length;
    this.fill();
  }

  #intend(run: GrantRun, messages: readonly RenderedMessage[]): Task<IntentResult> {
    const { world, owner } = this.#state;
    const { grant } = run;
    const chunk = chunkOf(world.tables, grant);
    const seqs = messages.map((message) => message.seq);
    return callLedger(world, () => recordIntent({ chunk, grant, owner, seqs }, world.time.now, world.rules));
  }

  #accept(
    run: GrantRun,
    messages: readonly RenderedMessage[],
    { granted, stop }: IntentResult,
    intendedAt: number,
  ): void {
    if (stop === 'lost') this.#state.lose(run);
    else if (stop) this.#state.stop(run);
    this.#state.close(run, messages.length - granted.length);
    this.#admit(
      run,
      messages.filter((message) => granted.includes(message.seq)),
      intendedAt,
    );
  }

  #admit(run: GrantRun, messages: readonly RenderedMessage[], intendedAt: number): void {
    const { ready, becameReady, world, isStopping } = this.#state;
    if (isStopping) this.#retractAll(run, messages);
    else for (const message of messages) ready.push({ run, message, intendedAt, failures: 0 });
    world.time.notify(becameReady);
  }

  #retractAll(run: GrantRun, messages: readonly RenderedMessage[]): void {
    const { intentRetractedOnFailure } = this.#state.world.rules.protections;
    if (!intentRetractedOnFailure) this.#state.close(run, messages.length);
    else
      for (const { seq } of messages)
        this.#writer().write(run, { seq, state: 'pending', replyCode: 0, reason: null });
  }

  *#hold(): Task {
    this.#isHeld = true;
    yield ledgerPauseMs;
    this.#isHeld = false;
    this.fill();
  }
}
