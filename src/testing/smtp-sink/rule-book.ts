import { domainOf } from './commands.ts';
import type { Condition, Rule, RuleState, Stage } from './rule.ts';
import { type Random, seededHash, seededRandom } from './seeded-random.ts';

/** What a rule may look at: who is talking, and about whom. */
export interface Subject {
  readonly connectionId: number;
  /** Number of the current message on its connection, from 1; 0 before the first MAIL. */
  readonly messageOnConnection: number;
  readonly addresses: readonly string[];
}

interface Entry {
  readonly rule: Rule & { readonly id: string };
  readonly addresses: ReadonlySet<string> | undefined;
  readonly domains: ReadonlySet<string> | undefined;
  readonly providers: ReadonlySet<string> | undefined;
  readonly random: Random;
  readonly firedPerAddress: Map<string, number>;
  matches: number;
  taken: number;
  hits: number;
}

interface Surroundings {
  readonly seed: number;
  providerOf(domain: string): string;
  /** Called each time a rule fires, after it was counted. */
  fired(): void;
}

/** Is this address in the share that a rule with `addressShare` picks? Lets a test say beforehand who will be refused. */
export function isInShare(choice: { seed: number; ruleId: string; share: number }, address: string): boolean {
  const hash = seededHash(choice.seed, `${choice.ruleId} ${address.toLowerCase()}`);
  return hash / 0x1_0000_0000 < choice.share;
}

/** The rules in force. The first that fires wins; a rule later in the list doesn't even count the moment. */
export class RuleBook {
  readonly #surroundings: Surroundings;
  #entries: Entry[] = [];
  #byStage = new Map<Stage, Entry[]>();
  #named = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Replaces all rules; their counts start again. */
  set(rules: readonly Rule[]): void {
    this.#entries = [];
    this.#byStage = new Map();
    this.#named = 0;
    for (const rule of rules) this.add(rule);
  }

  add(rule: Rule): string {
    const id = rule.id ?? `rule-${++this.#named}`;
    if (this.#entries.some((entry) => entry.rule.id === id)) throw new Error(`There is a rule ${id} already`);
    const entry = newEntry({ ...rule, id }, seededRandom(seededHash(this.#surroundings.seed, id)));
    this.#entries.push(entry);
    this.#byStage.set(rule.stage, [...(this.#byStage.get(rule.stage) ?? []), entry]);
    return id;
  }

  has(stage: Stage): boolean {
    return this.#byStage.has(stage);
  }

  /** The rule that decides this moment; undefined when all goes its usual way. Whoever takes a rule tells when it `fired`. */
  take(stage: Stage, subject: Subject): RuleState['rule'] | undefined {
    const entry = this.#byStage.get(stage)?.find((candidate) => this.#decides(candidate, subject));
    if (entry === undefined) return undefined;
    entry.taken++;
    if (entry.rule.timesPerAddress !== undefined) {
      for (const address of subject.addresses) increment(entry.firedPerAddress, address);
    }
    return entry.rule;
  }

  /** The rule acts now. Apart from `take`, because a fault in a body is decided before its bytes have come. */
  fired(id: string): void {
    const entry = this.#entries.find(({ rule }) => rule.id === id);
    if (entry !== undefined) entry.hits++;
    this.#surroundings.fired();
  }

  states(): readonly RuleState[] {
    return this.#entries.map(({ rule, hits }) => ({ rule, hits }));
  }

  hits(id: string): number {
    const entry = this.#entries.find(({ rule }) => rule.id === id);
    if (entry === undefined) throw new Error(`There is no rule ${id}`);
    return entry.hits;
  }

  #decides(entry: Entry, subject: Subject): boolean {
    const { rule } = entry;
    if (rule.times !== undefined && entry.taken >= rule.times) return false;
    if (rule.timesPerAddress !== undefined && this.#hasHadItsShare(entry, subject)) return false;
    if (rule.when === undefined) return true;
    if (!this.#concerns(entry, rule.when, subject)) return false;
    return isTheMoment(rule.when, ++entry.matches, entry.random);
  }

  #hasHadItsShare({ rule, firedPerAddress }: Entry, { addresses }: Subject): boolean {
    return addresses.every((address) => (firedPerAddress.get(address) ?? 0) >= (rule.timesPerAddress ?? 0));
  }

  #concerns(entry: Entry, when: Condition, subject: Subject): boolean {
    if (when.connection !== undefined && when.connection !== subject.connectionId) return false;
    if (subject.messageOnConnection < (when.fromMessageOnConnection ?? 0)) return false;
    if (!namesRecipients(when)) return true;
    return subject.addresses.some((address) => this.#concernsAddress(entry, when.addressShare, address));
  }

  #concernsAddress(
    { rule, addresses, domains, providers }: Entry,
    share: number | undefined,
    address: string,
  ): boolean {
    if (addresses?.has(address.toLowerCase()) === false) return false;
    const domain = domainOf(address);
    if (domains?.has(domain) === false) return false;
    if (providers?.has(this.#surroundings.providerOf(domain)) === false) return false;
    return (
      share === undefined || isInShare({ seed: this.#surroundings.seed, ruleId: rule.id, share }, address)
    );
  }
}

function newEntry(rule: Entry['rule'], random: Random): Entry {
  return {
    rule,
    addresses: lowerCaseSet(rule.when?.toAddress),
    domains: lowerCaseSet(rule.when?.toDomain),
    providers: lowerCaseSet(rule.when?.provider),
    random,
    firedPerAddress: new Map(),
    matches: 0,
    taken: 0,
    hits: 0,
  };
}

/** Sets, because a script may name thousands of addresses and is asked for each recipient. */
function lowerCaseSet(wanted: string | readonly string[] | undefined): ReadonlySet<string> | undefined {
  if (wanted === undefined) return undefined;
  return new Set((typeof wanted === 'string' ? [wanted] : wanted).map((one) => one.toLowerCase()));
}

function namesRecipients(when: Condition): boolean {
  return (when.toAddress ?? when.toDomain ?? when.provider ?? when.addressShare) !== undefined;
}

function isTheMoment(when: Condition, count: number, random: Random): boolean {
  if (when.nth !== undefined && count !== when.nth) return false;
  if (when.fromNth !== undefined && count < when.fromNth) return false;
  if (when.everyNth !== undefined && count % when.everyNth !== 0) return false;
  return when.probability === undefined || random() < when.probability;
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
