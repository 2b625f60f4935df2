/**
 * Published paces: what workers and the API read, and what the next leader needs to go on from where this one stopped. `v` is the
 * version: a pace of another release is not there, and its destination starts cold.
 */
import { z } from 'zod';
import { limitingRules, type Pace } from './pace.ts';
import { parseJson } from './report-coding.ts';

/** What only the leader reads. Ages, not times: clocks are never compared. */
export interface PaceMemory {
  /** The window before the breaker's and the limits' bounds. */
  readonly windowMessages: number;
  readonly ceilingPerSecond?: number | undefined;
  readonly throttledAgoMs?: number | undefined;
  readonly openings?: number | undefined;
}

export interface PublishedPace {
  readonly pace: Pace;
  readonly memory: PaceMemory;
}

const version = 1;
const amount = z.number().nonnegative();
const published = z.object({
  v: z.literal(version),
  pace: z.object({
    windowMessages: amount,
    learntPerSecond: amount.optional(),
    measuredPerSecond: amount,
    breaker: z.enum(['closed', 'open', 'half_open']),
    closedForMs: amount,
    limitedBy: z.enum(limitingRules),
    inFlight: amount,
    connections: amount,
    lastReplies: z.array(z.object({ code: z.number(), text: z.string(), class: z.string() })),
  }),
  memory: z.object({
    windowMessages: amount,
    ceilingPerSecond: amount.optional(),
    throttledAgoMs: amount.optional(),
    openings: amount.optional(),
  }),
});

export function encodePace({ pace, memory }: PublishedPace): string {
  return JSON.stringify({ v: version, pace, memory });
}

/** Undefined: none, or not one of ours. */
export function decodePace(text: string | null | undefined): PublishedPace | undefined {
  if (text === null || text === undefined) return undefined;
  const parsed = published.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { pace, memory } = parsed.data;
  return { pace: { ...pace, learntPerSecond: pace.learntPerSecond }, memory };
}
