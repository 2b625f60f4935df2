/** How templates come in and go out. */
import { z } from 'zod';
import { idOut, idParam, lineOfText, timestamp } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import { limits } from '../render/limits.ts';
import type { Template, TemplateVersion } from './template-store.ts';

const source = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    // Neither survives the database or a mail program.
    .refine((text) => !/[\0\p{Cs}]/u.test(text), 'holds NUL or half a surrogate pair');

const sourceFields = {
  subject: source(limits.subjectLength).meta({
    description: 'Liquid',
    example: '{{ profile.first_name }}, 40 % off',
  }),
  preheader: source(limits.preheaderLength)
    .optional()
    .meta({ description: 'Liquid; shown beside the subject' }),
  mjml: source(limits.mjmlLength).optional().meta({ description: 'MJML with Liquid in it' }),
  html: source(limits.htmlLength).optional().meta({ description: 'HTML with Liquid in it' }),
  text: source(limits.textLength)
    .optional()
    .meta({ description: 'Liquid; made from the HTML when not given' }),
};

const oneSource = {
  check: ({ mjml, html }: { mjml?: string | undefined; html?: string | undefined }) =>
    (mjml === undefined) !== (html === undefined),
  message: 'needs exactly one of mjml and html',
};

export const templateName = lineOfText(200);
export const newTemplate = z
  .strictObject({ name: templateName, ...sourceFields })
  .refine(oneSource.check, oneSource.message)
  .meta({ id: 'NewTemplate' });
export const templateSource = z
  .strictObject(sourceFields)
  .refine(oneSource.check, oneSource.message)
  .meta({ id: 'TemplateSource' });

export const previewBody = z
  .strictObject({
    profile_id: idParam('profile').optional(),
    sample: z
      .record(z.string().max(100), z.unknown())
      .optional()
      .meta({
        description: 'Stands for a profile: its attributes, and `email`',
        example: { first_name: 'Ada' },
      }),
    version: z.int().min(1).optional().meta({ description: 'The latest when not given' }),
  })
  .refine(({ profile_id, sample }) => (profile_id === undefined) !== (sample === undefined), {
    message: 'needs exactly one of profile_id and sample',
  });

export const templateParams = z.strictObject({ template_id: idParam('template') });

const warningOut = z.object({
  code: z.enum(['gmail_clips', 'no_unsubscribe_link']),
  pointer: z.string(),
  detail: z.string(),
});
export const warningsOut = z
  .array(warningOut)
  .meta({ description: 'Nothing that stops it, but worth a look' });

const summaryFields = {
  id: idOut('template'),
  name: z.string(),
  latest_version: z.int(),
  created_at: timestamp,
  updated_at: timestamp,
};
export const templateSummaryOut = z.object(summaryFields).meta({ id: 'TemplateSummary' });
export const templateOut = z
  .object({
    ...summaryFields,
    version: z.int(),
    subject: z.string(),
    preheader: z.string().nullable(),
    mjml: z.string().nullable().meta({ description: 'What the HTML was made of, if it was' }),
    html: z.string(),
    text: z.string().nullable(),
    version_created_at: timestamp,
  })
  .meta({ id: 'Template' });
export const writtenTemplateOut = templateOut
  .extend({ warnings: warningsOut })
  .meta({ id: 'WrittenTemplate' });
export const versionOut = z.object({ version: z.int(), subject: z.string(), created_at: timestamp });
export const validationOut = z.object({ html: z.string(), warnings: warningsOut });
export const previewOut = z.object({
  subject: z.string(),
  preheader: z.string(),
  html: z.string(),
  text: z.string(),
  warnings: warningsOut,
});

export function showSummary({ id, name, latestVersion, createdAt, updatedAt }: Template) {
  return {
    ...{ id: formatId('template', id), name, latest_version: latestVersion },
    ...{ created_at: createdAt, updated_at: updatedAt },
  };
}

export function showTemplate(template: Template, shown: TemplateVersion) {
  const { version, subject, preheader, mjml, html, text, createdAt } = shown;
  return {
    ...showSummary(template),
    ...{ version, subject, preheader, mjml, html, text },
    version_created_at: createdAt,
  };
}
