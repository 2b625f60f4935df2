/**
 * One cell on the day, step by step on a virtual clock: campaigns are expanded, the real policies dispatch, pace and scale, providers answer.
 * Messages are counted by campaign and destination, not named; everything else is as in the processes.
 */
import { allowedPerSecond } from '../../scaling/allowed-rate.ts';
import { type Random, seededRandom } from '../smtp-sink/seeded-random.ts';
import { expandedPerSecond, redisCosts, statements } from './calibration.ts';
import type { Campaign } from './campaigns.ts';
import { Dispatching } from './dispatching.ts';
import { Expansion } from './expansion.ts';
import { aheadMs, decideEveryMs, Fleet } from './fleet.ts';
import { DestinationLanes, type Portion, takeFrom } from './lanes.ts';
import { makeProviders } from './make-providers.ts';
import { Retries } from './retries.ts';
import type { Sample } from './sample.ts';
import { DestinationSending, type Handed } from './sending.ts';
import { cellLost, deploy, isWithin, outage } from './trouble.ts';
import { Waits } from './waits.ts';

export interface CellOptions {
  readonly campaigns: readonly Campaign[];
  readonly fromMs: number;
  readonly stepMs: number;
  readonly seed: number;
  /** Of the cell in the peak minute. */
  readonly peakPerSecond: number;
  readonly hasTrouble: boolean;
}

/** Windows are three seconds of what is answered: these are the ceilings for a cell of its peak (DISPATCH_WINDOW_MESSAGES, DISPATCH_TOTAL_MESSAGES). */
const windowSeconds = 2;
const totalSeconds = 6;
const sampleEveryMs = 60_000;
/** Two groups of 64 for each worker that dies, besides what is on the wire. */
const inDoubtPerWorker = 128;

export class Cell {
  readonly waits = new Waits();
  readonly samples: Sample[] = [];
  readonly #options: CellOptions;
  readonly #random: Random;
  readonly #expansion: Expansion;
  readonly #retries: Retries;
  readonly #lanes: readonly DestinationLanes[];
  readonly #sendings: readonly DestinationSending[];
  readonly #dispatching: Dispatching;
  readonly #fleet = new Fleet();
  #nowMs: number;
  #isLost = false;
  #decideAtMs = 0;
  inDoubt = 0;
  throttled = 0;
  attempts = 0;
  readonly #since = { sent: 0, statements: 0, bySending: [] as number[] };

  constructor(options: CellOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#nowMs = options.fromMs;
    this.#expansion = new Expansion(options.campaigns);
    this.#retries = new Retries(this.#random);
    const providers = makeProviders(options.peakPerSecond);
    this.#lanes = providers.map((_, id) => new DestinationLanes(id));
    const ceiling = Math.round(windowSeconds * options.peakPerSecond);
    this.#sendings = providers.map((provider) => new DestinationSending(provider, ceiling));
    this.#dispatching = new Dispatching(Math.round(totalSeconds * options.peakPerSecond));
    this.#resetSums();
  }

  /** Until all has been tried and nothing waits but retries, or `untilMs`. */
  run(untilMs: number): void {
    while (this.#nowMs < untilMs) {
      this.#strike();
      this.#expansion.startDue(this.#nowMs);
      if (!this.#isLost) this.#work();
      this.#nowMs += this.#options.stepMs;
      if (this.#nowMs % sampleEveryMs === 0) this.#sample();
    }
    this.#countUntried();
  }

  /** What was never tried counts with the wait it has by now. */
  #countUntried(): void {
    const add = (id: number, { attempts, campaign, n }: Portion) => {
      if (attempts === 0) this.#addWait(id, campaign, this.#nowMs - campaign.dueMs, n);
    };
    for (const { campaign, messages } of this.#expansion.expand(Number.POSITIVE_INFINITY))
      for (const [id, n] of messages.entries()) add(id, { campaign, attempts: 0, n });
    for (const [id, lanes] of this.#lanes.entries()) for (const portion of lanes.takeAll()) add(id, portion);
    for (const [id, sending] of this.#sendings.entries())
      for (const portion of sending.giveBack()) add(id, portion);
  }

  #addWait(id: number, { group }: Campaign, waitMs: number, n: number): void {
    const { name } = this.#sendings[id]!.provider;
    this.waits.add(group, waitMs, n);
    this.waits.add(`${group}, ${name === outage.provider ? name : 'others'}`, waitMs, n);
  }

  get backlog(): number {
    return this.#waiting() + this.#outstanding();
  }

  #work(): void {
    const { stepMs } = this.#options;
    this.#fleet.start(this.#nowMs);
    this.#expand();
    for (const { destination, portion } of this.#retries.takeDue(this.#nowMs))
      this.#lanes[destination]!.add(portion);
    this.#send();
    for (const sending of this.#sendings) sending.learn(this.#nowMs, this.#random());
    const grants = this.#dispatching.pass(this.#lanes, this.#sendings, this.#nowMs);
    this.#since.statements += grants * statements.perGrant;
    this.#since.statements += (statements.perPass * statements.passesPerSecond * stepMs) / 1_000;
    if (this.#nowMs >= this.#decideAtMs) this.#scale();
  }

  #strike(): void {
    if (!this.#options.hasTrouble) return;
    for (const sending of this.#sendings) {
      if (sending.provider.name !== outage.provider) continue;
      const isAway = isWithin(this.#nowMs, outage);
      if (isAway && !sending.provider.isAway) this.inDoubt += sending.loseWire();
      sending.provider.isAway = isAway;
    }
    const isLost = isWithin(this.#nowMs, cellLost);
    if (isLost && !this.#isLost) this.#loseCell();
    this.#isLost = isLost;
  }

  /** Chunks come back when their leases are over, which is before the cell is back; what was on the wire is in doubt. */
  #loseCell(): void {
    this.inDoubt += this.#fleet.ready.send * inDoubtPerWorker;
    this.#fleet.lose();
    for (const [id, sending] of this.#sendings.entries()) {
      this.inDoubt += sending.loseWire();
      for (const portion of sending.giveBack()) this.#lanes[id]!.add(portion);
      sending.forget(this.#nowMs);
    }
  }

  #expand(): void {
    const pages = this.#expansion.expand((expandedPerSecond * this.#options.stepMs) / 1_000);
    for (const { campaign, messages } of pages)
      for (const [id, n] of messages.entries()) this.#lanes[id]!.add({ campaign, attempts: 0, n });
    this.#since.statements += pages.length * statements.perPage;
  }

  /** Workers share their time among destinations in proportion to what each could use. */
  #send(): void {
    const { stepMs, hasTrouble } = this.#options;
    const wanted = this.#sendings.map((sending) => sending.wanted(this.#nowMs, stepMs));
    const all = wanted.reduce((sum, n) => sum + n, 0);
    const away = hasTrouble && isWithin(this.#nowMs, deploy) && this.#fleet.ready.send > 1 ? 1 : 0;
    const part = Math.min(1, (this.#fleet.capacity(away) * stepMs) / 1_000 / Math.max(1, all));
    for (const [id, sending] of this.#sendings.entries()) {
      const handed = sending.handOver(Math.floor((wanted[id] as number) * part), stepMs);
      this.#settle(id, handed);
      sending.report(handed, this.#nowMs);
      for (const portion of sending.giveUp(this.#nowMs)) this.#lanes[id]!.add(portion);
    }
  }

  #settle(id: number, { portions, messages, answered }: Handed): void {
    for (const { attempts, campaign, n } of portions) {
      this.#since.statements += Math.ceil(n / statements.groupMessages) * statements.perGroup;
      if (attempts > 0) continue;
      this.#addWait(id, campaign, this.#nowMs + this.#options.stepMs - campaign.dueMs, n);
    }
    const rest = [...portions];
    for (const portion of takeFrom(rest, answered.throttled))
      this.#retries.defer(id, portion, 'throttled', this.#nowMs);
    for (const portion of takeFrom(rest, answered.deferred))
      this.#retries.defer(id, portion, 'transient', this.#nowMs);
    this.throttled += answered.throttled;
    this.attempts += messages;
    this.#since.sent += messages - answered.throttled;
    this.#since.bySending[id] = (this.#since.bySending[id] as number) + messages - answered.throttled;
  }

  #scale(): void {
    this.#decideAtMs = this.#nowMs + decideEveryMs;
    const paces = this.#sendings.map((sending) => sending.pace(this.#nowMs));
    this.#fleet.decide(
      {
        works: this.#sendings.map(({ outstanding }, id) => ({
          ...{ destinationId: id, transportId: 1, outstanding },
          due: [{ messages: this.#lanes[id]!.messages }],
          allowedPerSecond: allowedPerSecond(paces[id]!, {}),
          ...{ transportPerSecond: Number.POSITIVE_INFINITY, quotaLeft: Number.POSITIVE_INFINITY },
        })),
        upcomingMessages: this.#expansion.upcoming(this.#nowMs + aheadMs),
        answeredPerSecond: paces.reduce((sum, { measuredPerSecond }) => sum + measuredPerSecond, 0),
        outstanding: this.#outstanding(),
      },
      this.#nowMs,
    );
  }

  #sample(): void {
    const perSecond = sampleEveryMs / 1_000;
    const { sent, statements: made, bySending } = this.#since;
    this.samples.push({
      atMs: this.#nowMs,
      backlog: this.backlog,
      retries: this.#retries.messages,
      sentPerSecond: sent / perSecond,
      sentByProvider: bySending.map((n) => n / perSecond),
      backlogByProvider: this.#sendings.map(({ outstanding }, id) => outstanding + this.#lanes[id]!.messages),
      sendWorkers: this.#fleet.ready.send,
      renderWorkers: this.#fleet.ready.render,
      redisBytes: this.#redisBytes(),
      statementsPerSecond: made / perSecond,
    });
    this.#resetSums();
  }

  #redisBytes(): number {
    const outstanding = this.#outstanding();
    const campaigns = new Set(this.#sendings.flatMap(({ byTenant }) => [...byTenant.keys()])).size;
    const grants = Math.max(outstanding / 500, campaigns);
    return (
      outstanding * redisCosts.renderedBytes +
      campaigns * redisCosts.segmentBytes +
      grants * redisCosts.jobBytes
    );
  }

  #waiting(): number {
    return this.#expansion.waiting + this.#lanes.reduce((sum, { messages }) => sum + messages, 0);
  }

  #outstanding(): number {
    return this.#sendings.reduce((sum, { outstanding }) => sum + outstanding, 0);
  }

  #resetSums(): void {
    Object.assign(this.#since, { sent: 0, statements: 0, bySending: this.#sendings.map(() => 0) });
  }
}
