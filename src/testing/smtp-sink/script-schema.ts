import { z } from 'zod';
import type { ProviderLimits } from './provider-gate.ts';
import { type Action, type Condition, type Rule, refusals, stages } from './rule.ts';

/** Scripts that come from another process, checked so that a misspelt fault fails the test that sent it and isn't just never seen. */
const count = z.int().positive();
const share = z.number().min(0).max(1);
const ms = z.number().nonnegative();
const names = z.union([z.string(), z.array(z.string()).readonly()]);
const mayTakeEffect = { takesEffect: z.boolean().exactOptional(), delayMs: ms.exactOptional() };

const action = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('reply'),
    code: z.int().min(200).max(599),
    text: z.string(),
    close: z.boolean().exactOptional(),
    delayMs: ms.exactOptional(),
  }),
  z.strictObject({ do: z.literal('say'), refusal: z.enum(refusals), delayMs: ms.exactOptional() }),
  z.strictObject({ do: z.literal('delay'), ms }),
  z.strictObject({ do: z.literal('stall'), takesEffect: z.boolean().exactOptional() }),
  z.strictObject({ do: z.literal('hangup'), ...mayTakeEffect }),
  z.strictObject({ do: z.literal('reset'), ...mayTakeEffect }),
  z.strictObject({ do: z.literal('garbage'), bytes: count.exactOptional(), ...mayTakeEffect }),
  z.strictObject({ do: z.literal('raw'), bytes: z.string(), ...mayTakeEffect }),
  z.strictObject({ do: z.literal('drip'), everyMs: ms }),
  z.strictObject({
    do: z.literal('split'),
    sizes: z.array(count).min(1).readonly(),
    gapMs: ms.exactOptional(),
  }),
]) satisfies z.ZodType<Action>;

const condition = z.strictObject({
  toDomain: names.exactOptional(),
  toAddress: names.exactOptional(),
  provider: names.exactOptional(),
  connection: count.exactOptional(),
  fromMessageOnConnection: count.exactOptional(),
  addressShare: share.exactOptional(),
  nth: count.exactOptional(),
  fromNth: count.exactOptional(),
  everyNth: count.exactOptional(),
  probability: share.exactOptional(),
}) satisfies z.ZodType<Condition>;

const rule = z.strictObject({
  id: z.string().min(1).exactOptional(),
  stage: z.enum(stages),
  when: condition.exactOptional(),
  action,
  afterBytes: z.int().nonnegative().exactOptional(),
  times: count.exactOptional(),
  timesPerAddress: count.exactOptional(),
}) satisfies z.ZodType<Rule>;

const providerLimits = z.strictObject({
  name: z.string().min(1),
  domains: z.array(z.string()).readonly().exactOptional(),
  maxConnections: z.int().nonnegative().exactOptional(),
  messagesPerSecond: z.number().nonnegative().exactOptional(),
  burst: count.exactOptional(),
  messagesPerConnection: count.exactOptional(),
}) satisfies z.ZodType<ProviderLimits>;

/** Throws with what is wrong and where. */
export function parseRule(json: unknown): Rule {
  return parse(rule, json);
}

export function parseRules(json: unknown): readonly Rule[] {
  return parse(z.array(rule), json);
}

export function parseProviderLimits(json: unknown): ProviderLimits {
  return parse(providerLimits, json);
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (!result.success) throw new Error(z.prettifyError(result.error));
  return result.data;
}
