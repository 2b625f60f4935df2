/**
 * What holds at one destination: its transport's settings over what its provider is known to put up with. Pure.
 *
 * The shipped figures are KumoMTA's shaping rules, default and community (read 2026-11): connections of one sender to the provider, and messages
 * on each. They hold only where destinations are providers: a relay that spreads by itself says what it takes by its answers.
 */
import type { DestinationLimits } from '../pacing/pace.ts';
import { type DestinationMode, tailName, wholeName } from './destination-key.ts';
import type { DestinationLimit, TransportLimits } from './smtp-settings.ts';
import { warmUpStep } from './warm-up.ts';

interface ShippedLimits {
  /** Of the whole fleet. */
  readonly connections: number;
  readonly messagesPerConnection: number;
}

const generic: ShippedLimits = { connections: 10, messagesPerConnection: 100 };

const shippedLimits: Readonly<Record<string, ShippedLimits>> = {
  gmail: { connections: 5, messagesPerConnection: 50 },
  microsoft: { connections: 5, messagesPerConnection: 50 },
  yahoo: { connections: 10, messagesPerConnection: 20 },
  'yahoo-japan': { connections: 2, messagesPerConnection: 20 },
  apple: { connections: 10, messagesPerConnection: 5 },
  comcast: { connections: 25, messagesPerConnection: 1_000 },
  orange: { connections: 2, messagesPerConnection: 100 },
  gmx: { connections: 4, messagesPerConnection: 20 },
  kpn: { connections: 10, messagesPerConnection: 10 },
  barracuda: { connections: 10, messagesPerConnection: 15 },
};

/** The limits of a destination by its name; with a `day` (`YYYY-MM-DD`, UTC) also its quota, as if nothing had been sent on it yet. */
export function destinationLimitsOf(
  limits: TransportLimits,
  mode: DestinationMode,
  name: string,
  day?: string,
): DestinationLimits {
  const own = settingOf(limits, mode, name);
  const quotas = day === undefined ? undefined : quotasOf(limits, mode, name, day);
  return {
    perSecond: least(own.perSecond, limits.perSecond),
    connections: own.connections ?? limits.connections ?? shippedOf(mode, name)?.connections,
    perDay: least(quotas?.destination, quotas?.transport),
  };
}

/** Messages of `day`: of the destination alone, and of its transport over all destinations. */
export interface DayQuotas {
  readonly destination: number | undefined;
  readonly transport: number | undefined;
}

export function quotasOf(
  limits: TransportLimits,
  mode: DestinationMode,
  name: string,
  day: string,
): DayQuotas {
  const step = limits.warmUp && warmUpStep(limits.warmUp, day);
  return { destination: settingOf(limits, mode, name).perDay, transport: least(limits.perDay, step) };
}

/** Whether the day's attempts have to be counted at all, on this day or another. */
export function hasDayQuota(limits: TransportLimits): boolean {
  const single = Object.values(limits.destinations ?? {});
  return [limits.perDay, limits.warmUp, ...single.map(({ perDay }) => perDay)].some((it) => it !== undefined);
}

/** The limits as one destination's connections have them: no more messages on each than its provider takes. */
export function connectionLimitsOf(
  limits: TransportLimits,
  mode: DestinationMode,
  name: string,
): TransportLimits {
  const shipped = shippedOf(mode, name);
  if (!shipped) return limits;
  const messagesPerConnection = Math.min(
    limits.messagesPerConnection || shipped.messagesPerConnection,
    shipped.messagesPerConnection,
  );
  return { ...limits, messagesPerConnection };
}

const none: DestinationLimit = {};

function settingOf({ destinations }: TransportLimits, mode: DestinationMode, name: string): DestinationLimit {
  if (!isProvider(mode, name) || !destinations) return none;
  const key = settingName(name);
  return Object.hasOwn(destinations, key) ? (destinations[key] ?? none) : none;
}

function shippedOf(mode: DestinationMode, name: string): ShippedLimits | undefined {
  if (!isProvider(mode, name)) return undefined;
  return Object.hasOwn(shippedLimits, name) ? shippedLimits[name] : generic;
}

/** What was planned before the transport's mode changed still names the whole. */
function isProvider(mode: DestinationMode, name: string): boolean {
  return mode === 'provider' && name !== wholeName;
}

/** Buckets of the tail are set together, and each of them has what is set. */
function settingName(name: string): string {
  return name.startsWith(`${tailName}-`) ? tailName : name;
}

function least(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
