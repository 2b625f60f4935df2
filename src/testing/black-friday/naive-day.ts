/**
 * A naive design on the same day: the same campaigns, the same providers, the same outage; no cell is lost, and nothing is deployed. It doesn't pace: what a provider
 * refuses is tried again a minute later. It tells destinations apart only when a message is on the wire: connections that wait for one that is away are
 * missing to all.
 */
import { redisCosts, replySeconds, timeoutSeconds } from './calibration.ts';
import type { Campaign } from './campaigns.ts';
import { makeProviders } from './make-providers.ts';
import type { Entry, NaiveQueue } from './naive-queues.ts';
import type { NaiveWorkers } from './naive-workers.ts';
import type { Provider } from './provider.ts';
import { providers as mix } from './published-day.ts';
import { isWithin, outage } from './trouble.ts';
import { Waits } from './waits.ts';

export interface NaiveSample {
  readonly atMs: number;
  readonly backlog: number;
  readonly sentPerSecond: number;
  readonly workers: number;
  readonly redisBytes: number;
  readonly statementsPerSecond: number;
  readonly isDatabaseOverloaded: boolean;
}

export interface NaiveOptions {
  readonly campaigns: readonly Campaign[];
  readonly queue: NaiveQueue;
  readonly workers: NaiveWorkers;
  readonly fromMs: number;
  readonly peakPerSecond: number;
  readonly hasOutage?: boolean;
}

const stepMs = 1_000;
const retrySeconds = 60;
/** Twice what the peak needs by Little's law. */
const slotsOfPeak = 2;
/** Of Redis's one thread. */
const redisMicrosecondsPerStep = 900_000;

export class NaiveDay {
  readonly waits = new Waits();
  readonly samples: NaiveSample[] = [];
  readonly #options: NaiveOptions;
  readonly #providers: readonly Provider[];
  readonly #slots: number;
  readonly #retries = new Map<number, Entry[]>();
  /** Connections that wait for a provider that is away, by the second in which they give up. */
  readonly #hanging = new Map<number, number>();
  readonly #carried = mix.map(() => 0);
  #nowMs: number;
  #next = 0;
  #hung = 0;
  #sent = 0;
  #statements = 0;
  #retrying = 0;
  attempts = 0;
  refused = 0;

  constructor(options: NaiveOptions) {
    this.#options = options;
    this.#nowMs = options.fromMs;
    this.#providers = makeProviders(options.peakPerSecond);
    this.#slots = Math.ceil(slotsOfPeak * options.peakPerSecond * replySeconds);
  }

  run(untilMs: number): void {
    for (; this.#nowMs < untilMs; this.#nowMs += stepMs) {
      this.#enqueue();
      this.#work();
      if (this.#nowMs % 60_000 === 0) this.#sample();
    }
    // What was never tried counts with the wait it has by now: left out, the worst design would look best.
    const left = this.#options.queue.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    for (const { campaign, n } of left)
      if (campaign) this.waits.add(campaign.group, this.#nowMs - campaign.dueMs, n);
  }

  #enqueue(): void {
    const { campaigns, queue } = this.#options;
    for (let campaign = campaigns[this.#next]; campaign && campaign.dueMs <= this.#nowMs; ) {
      queue.add({ campaign, destination: undefined, n: campaign.messages });
      campaign = campaigns[++this.#next];
    }
    const second = this.#nowMs / 1_000;
    for (const entry of this.#retries.get(second) ?? []) {
      queue.add(entry);
      this.#retrying -= entry.n;
    }
    this.#retries.delete(second);
    this.#hung -= this.#hanging.get(second) ?? 0;
    this.#hanging.delete(second);
  }

  #work(): void {
    const { queue, workers, hasOutage = true } = this.#options;
    for (const provider of this.#providers)
      provider.isAway = hasOutage && provider.name === outage.provider && isWithin(this.#nowMs, outage);
    const carried = Math.max(0, this.#slots - this.#hung) / replySeconds;
    const able = Math.floor(workers.attemptsPerSecond(Math.min(queue.messages, carried)));
    const taken = queue.take(able, redisMicrosecondsPerStep);
    const byDestination = this.#split(taken);
    for (const [id, messages] of byDestination.entries()) this.#attempt(id, messages);
    workers.worked(
      taken.reduce((sum, { n }) => sum + n, 0),
      queue.messages,
      this.#nowMs,
    );
    this.#statements += workers.statementsPerSecond;
  }

  #split(taken: readonly Entry[]): readonly number[] {
    const byDestination = mix.map(() => 0);
    let fresh = 0;
    for (const { campaign, destination, n } of taken) {
      if (destination !== undefined) byDestination[destination] = (byDestination[destination] as number) + n;
      if (!campaign) continue;
      fresh += n;
      this.waits.add(campaign.group, this.#nowMs + stepMs - campaign.dueMs, n);
    }
    return byDestination.map((n, id) => n + this.#share(id, fresh));
  }

  #share(id: number, fresh: number): number {
    const exact = fresh * (mix[id]?.part ?? 0) + (this.#carried[id] as number);
    this.#carried[id] = exact - Math.floor(exact);
    return Math.floor(exact);
  }

  #attempt(id: number, messages: number): void {
    if (messages === 0) return;
    const provider = this.#providers[id] as Provider;
    this.attempts += messages;
    if (provider.isAway) {
      this.#hang(id, messages);
      return;
    }
    const { throttled, deferred } = provider.take(messages, 0, stepMs);
    this.refused += throttled;
    this.#sent += messages - throttled;
    this.#tryAgain(id, throttled + deferred, retrySeconds);
  }

  /** A connection each, until its time-out. */
  #hang(id: number, messages: number): void {
    const until = this.#nowMs / 1_000 + timeoutSeconds;
    this.#hung += messages;
    this.#hanging.set(until, (this.#hanging.get(until) ?? 0) + messages);
    this.#tryAgain(id, messages, timeoutSeconds + retrySeconds);
  }

  #tryAgain(destination: number, n: number, inSeconds: number): void {
    if (n === 0) return;
    const second = this.#nowMs / 1_000 + inSeconds;
    const due = this.#retries.get(second) ?? [];
    this.#retries.set(second, due);
    due.push({ campaign: undefined, destination, n });
    this.#retrying += n;
  }

  #sample(): void {
    const { queue, workers } = this.#options;
    this.samples.push({
      atMs: this.#nowMs,
      backlog: queue.messages,
      sentPerSecond: this.#sent / 60,
      workers: workers.ready,
      redisBytes: (queue.messages + this.#retrying) * redisCosts.jobBytes,
      statementsPerSecond: this.#statements / 60,
      isDatabaseOverloaded: workers.isDatabaseOverloaded,
    });
    this.#sent = 0;
    this.#statements = 0;
  }
}
