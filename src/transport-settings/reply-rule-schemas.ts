/** Reply rules in the API. */
import { z } from 'zod';
import { formatEtag } from '../http/etag.ts';
import { idOut, idParam, lineOfText, timestamp } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import type { ReplyClass, ReplyEffect } from '../transports/contract.ts';
import type { ReplyRule } from '../transports/reply-rule.ts';
import type { RuleFields, RuleMatch, StoredReplyRule } from './reply-rule-store.ts';

const replyClass = z
  .enum(['address', 'transient', 'throttled', 'policy', 'message', 'account'] satisfies ReplyClass[])
  .meta({
    description:
      '`address`: suppressed on a 5yz. `transient`: tried again. `throttled`: tried again, and no attempt is burnt. `policy`: the sender is refused, ' +
      'never the address. `message`: this message is refused. `account`: the transport’s credentials or account.',
  });

const code = z.int().min(400).max(599);

const match = z
  .strictObject({
    code_from: code.optional(),
    code_to: code.optional().meta({ description: 'Without it, `code_from` alone' }),
    enhanced: z
      .string()
      .regex(/^[\d.*]{1,20}$/, 'digits, dots and `*`')
      .optional()
      .meta({ description: 'The whole enhanced code; `*` is any run of characters', example: '4.7.*' }),
    text: lineOfText(200).optional().meta({
      description: 'Anywhere in the text, in any case; `*` is any run of characters',
      example: 'too many*connections',
    }),
  })
  .refine(({ code_from, enhanced, text }) => code_from !== undefined || enhanced || text, {
    error: 'needs a code, an enhanced code or a text',
  })
  .refine(({ code_from = 400, code_to = 599 }) => code_from <= code_to, {
    path: ['code_to'],
    error: 'must not be less than `code_from`',
  })
  .meta({ description: 'All that is given must match' });

const seconds = z.int().min(1).max(86_400);

const effect = z
  .strictObject({
    action: z.enum(['none', 'slow', 'rest', 'pause_sender']),
    scope: z.enum(['recipient', 'destination', 'transport', 'sender']),
    duration_seconds: seconds.optional(),
  })
  .superRefine(({ action, scope, duration_seconds }, context) => {
    if (!scopesOf[action].includes(scope))
      context.addIssue({
        code: 'custom',
        path: ['scope'],
        message: `must be ${scopesOf[action].join(' or ')} with this action`,
      });
    if (lasts(action) !== (duration_seconds !== undefined))
      context.addIssue({
        code: 'custom',
        path: ['duration_seconds'],
        message: lasts(action) ? 'is needed: every action ends' : 'is of no use with this action',
      });
  })
  .meta({
    description:
      'What it does beyond its message; without it, what its class does. `none` (recipient); `slow` (destination); `rest` (destination or transport) and ' +
      '`pause_sender` (sender) for `duration_seconds`.',
  });

const scopesOf: Readonly<Record<ReplyEffect['action'], readonly ReplyEffect['scope'][]>> = {
  none: ['recipient'],
  slow: ['destination'],
  rest: ['destination', 'transport'],
  pause_sender: ['sender'],
};

function lasts(action: ReplyEffect['action']): boolean {
  return action === 'rest' || action === 'pause_sender';
}

const fields = {
  name: lineOfText(200),
  position: z
    .int()
    .min(0)
    .max(10_000)
    .meta({ description: 'Lower ones are asked first; of equals the older' }),
  match,
  class: replyClass,
  effect: effect.nullable(),
  retry_after_seconds: seconds
    .nullable()
    .meta({ description: 'The message’s own wait, where the reply names no time' }),
};

export const newReplyRule = z
  .strictObject({
    ...fields,
    position: fields.position.default(100),
    effect: fields.effect.default(null),
    retry_after_seconds: fields.retry_after_seconds.default(null),
  })
  .meta({ id: 'NewReplyRule' });

export const replyRulePatch = z
  .strictObject({
    name: fields.name.optional(),
    position: fields.position.optional(),
    match: match.optional().meta({ description: 'Replaces it as a whole' }),
    class: replyClass.optional(),
    effect: fields.effect.optional(),
    retry_after_seconds: fields.retry_after_seconds.optional(),
  })
  .meta({ id: 'ReplyRulePatch' });

export const replyRuleParams = z.strictObject({ rule_id: idParam('replyRule') });

const effectOut = z.object({
  action: z.enum(['none', 'slow', 'rest', 'pause_sender']),
  scope: z.enum(['recipient', 'destination', 'transport', 'sender']),
  duration_seconds: z.number().nullable(),
});

export const replyRuleOut = z
  .object({
    id: idOut('replyRule'),
    name: z.string(),
    position: z.int(),
    match: z.object({
      code_from: z.int().nullable(),
      code_to: z.int().nullable(),
      enhanced: z.string().nullable(),
      text: z.string().nullable(),
    }),
    class: replyClass,
    effect: effectOut.nullable(),
    retry_after_seconds: z.number().nullable(),
    version: z.int(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'ReplyRule' });

export const shippedRuleOut = z
  .object({
    provider: z.string().nullable(),
    match: z.object({
      code_from: z.int().nullable(),
      code_to: z.int().nullable(),
      enhanced: z.string().nullable().meta({ description: 'A regular expression' }),
      text: z.string().nullable().meta({ description: 'A regular expression' }),
    }),
    class: replyClass,
    effect: effectOut.nullable(),
    retry_after_seconds: z.number().nullable(),
    source: z.string(),
    example: z.string(),
  })
  .meta({ id: 'ShippedReplyRule' });

export const ruleTest = z
  .strictObject({
    reply: z
      .string()
      .trim()
      .min(3)
      .max(4_000)
      .meta({ description: 'As the server said it', example: '421 4.7.0 Try again later' }),
    stage: z
      .enum(['mail', 'rcpt', 'data', 'message'])
      .default('rcpt')
      .meta({ description: 'What it answered: MAIL, RCPT, DATA, or the message itself' }),
    destination: lineOfText(64).optional().meta({ description: 'Said by this one, as `gmail` or `other-3`' }),
  })
  .meta({ id: 'ReplyRuleTest' });

export const ruleVerdict = z
  .object({
    reply: z.object({ code: z.int(), enhanced: z.string().nullable(), text: z.string() }),
    rule: z
      .object({
        origin: z.enum(['own', 'installation', 'shipped']),
        id: idOut('replyRule').nullable(),
        name: z.string().meta({ description: 'Of a shipped one, its source' }),
      })
      .meta({ description: 'The rule that decides' }),
    class: replyClass,
    is_permanent: z.boolean(),
    retry_after_seconds: z.number().nullable(),
    effect: effectOut,
    explanation: z.string(),
  })
  .meta({ id: 'ReplyRuleVerdict' });

type RuleIn = z.output<typeof newReplyRule>;

export function toFields(rule: RuleIn): RuleFields {
  const { name, position, class: meaning, retry_after_seconds: wait } = rule;
  return {
    ...{ name, position, class: meaning },
    match: toMatch(rule.match),
    ...(rule.effect && { effect: toEffect(rule.effect) }),
    ...(wait !== null && { retryAfterSeconds: wait }),
  };
}

export function showRule(rule: StoredReplyRule) {
  const { id, name, position, match: m, class: meaning, effect: own, retryAfterSeconds, version } = rule;
  return {
    ...{ id: formatId('replyRule', id), name, position },
    match: {
      ...nullMatch,
      ...withoutUndefined({ code_from: m.codeFrom, code_to: m.codeTo, enhanced: m.enhanced, text: m.text }),
    },
    class: meaning,
    effect: own ? showEffect(own) : null,
    retry_after_seconds: retryAfterSeconds ?? null,
    version,
    created_at: rule.createdAt,
    updated_at: rule.updatedAt,
  };
}

/** As it would be given to make it. */
export function toInput(rule: StoredReplyRule): RuleIn {
  const shown = showRule(rule);
  const { codeFrom, codeTo, enhanced, text } = rule.match;
  return {
    ...{ name: shown.name, position: shown.position, class: shown.class },
    match: withoutUndefined({ code_from: codeFrom, code_to: codeTo, enhanced, text }),
    effect: rule.effect ? (withoutNull(showEffect(rule.effect)) as RuleIn['effect']) : null,
    retry_after_seconds: shown.retry_after_seconds,
  };
}

export function showShipped(rule: ReplyRule) {
  return {
    provider: rule.provider ?? null,
    match: {
      code_from: rule.code?.[0] ?? null,
      code_to: rule.code?.[1] ?? null,
      enhanced: rule.enhanced?.source ?? null,
      text: rule.text?.source ?? null,
    },
    class: rule.class,
    effect: rule.effect ? showEffect(rule.effect) : null,
    retry_after_seconds: rule.retryAfterMs === undefined ? null : rule.retryAfterMs / 1000,
    source: rule.source,
    example: rule.example,
  };
}

export function showEffect({ action, scope, durationMs }: ReplyEffect) {
  return { action, scope, duration_seconds: durationMs === undefined ? null : durationMs / 1000 };
}

export function ruleEtag({ version }: StoredReplyRule) {
  return { ETag: formatEtag(version) };
}

const nullMatch = { code_from: null, code_to: null, enhanced: null, text: null };

function toMatch({
  code_from: codeFrom,
  code_to: codeTo,
  enhanced,
  text,
}: z.output<typeof match>): RuleMatch {
  return { codeFrom, codeTo, enhanced, text };
}

function toEffect({ action, scope, duration_seconds: duration }: z.output<typeof effect>): ReplyEffect {
  return duration === undefined ? { action, scope } : { action, scope, durationMs: duration * 1000 };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}

function withoutNull(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null));
}
