/** Building blocks of the routes' zod schemas: ids, times, names, pages. What they decode is what handlers work with. */
import { z } from 'zod';
import { formatId, type IdKind, parseId, prefixes } from '../ids.ts';

type IdOf<K extends IdKind> = NonNullable<ReturnType<typeof parseId<K>>>;

/** An id that comes in, in a path, query or body: text like `cmp_0abc...`, decoded to the number behind it. */
export function idParam<K extends IdKind>(kind: K) {
  return idText(kind).transform((text, context): IdOf<K> => {
    const id = parseId(kind, text);
    if (id !== undefined) return id;
    context.addIssue({ code: 'custom', message: `is not the id of a ${nameOf(kind)}` });
    return z.NEVER;
  });
}

/** An id that goes out; handlers fill it with `formatId(kind, id)`. */
export function idOut(kind: IdKind) {
  return idText(kind);
}

/** A moment that goes out. A `Date` in a reply's body becomes this text by itself. */
export const timestamp = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'ISO 8601, UTC, milliseconds', example: '2026-11-27T09:00:00.000Z' });

/** A moment that comes in, with any offset from UTC, decoded to a `Date`. */
export const timestampParam = z.iso
  .datetime({ offset: true, error: 'must be ISO 8601 with an offset or Z' })
  .meta({ description: 'ISO 8601 with an offset or Z', example: '2026-11-27T09:00:00+01:00' })
  .refine(isStorableTime, 'must lie between the years 2000 and 2200')
  .transform((text) => new Date(text));

/** One line for people: trimmed, not empty, no control characters. */
export function lineOfText(maxLength: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .refine(
      (text) => !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text),
      'must be one line without control characters',
    );
}

/** The parameters of every listing; `pageQuery.extend({ ... })` adds filters. */
export const pageQuery = z.strictObject({
  page_size: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .default(50)
    .meta({ description: 'Most items of one page', example: 50 }),
  cursor: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: 'The `next_cursor` of the page before; opaque' }),
});

/** The reply of every listing. `next_cursor` is null on the last page. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: 'For `cursor` of the next page; null on the last' }),
  });
}

function idText(kind: IdKind) {
  return z
    .string()
    .regex(new RegExp(`^${prefixes[kind]}_[0-9a-hjkmnp-tv-z]{11}$`), `is not the id of a ${nameOf(kind)}`)
    .meta({ description: `Id of a ${nameOf(kind)}`, example: formatId(kind, 171_000_000_000_000) });
}

function nameOf(kind: IdKind): string {
  const names: Partial<Record<IdKind, string>> = {
    apiKey: 'key',
    replyRule: 'rule',
    sendingDomain: 'sending domain',
  };
  return names[kind] ?? kind;
}

/** What DATETIME holds and what a person may have meant. What is no time has been told so already. */
function isStorableTime(text: string): boolean {
  const year = new Date(text).getUTCFullYear();
  return Number.isNaN(year) || (year >= 2000 && year < 2200);
}
