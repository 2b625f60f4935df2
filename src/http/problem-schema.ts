/** The problem document as a schema, for the OpenAPI document and for tests. */
import { z } from 'zod';
import { errorKinds } from '../errors.ts';

const fieldError = z
  .object({
    pointer: z
      .string()
      .optional()
      .meta({ description: 'JSON pointer into the body', example: '/message/subject' }),
    parameter: z.string().optional().meta({ description: 'Parameter or header', example: 'page_size' }),
    detail: z.string().meta({ example: 'is required' }),
    line: z.int().optional().meta({ description: 'In the text that `pointer` names, from 1' }),
    column: z.int().optional(),
  })
  .meta({ id: 'FieldError' });

export const problemSchema = z
  .object({
    type: z
      .string()
      .meta({ description: 'Where the error is described', example: '/docs#error-invalid_request' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().meta({ description: 'The path that was called' }),
    code: z
      .enum(Object.keys(errorKinds) as [string, ...string[]])
      .meta({ description: 'Stable; made for programs', example: 'invalid_request' }),
    request_id: z.string(),
    errors: z.array(fieldError).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });
