/** The API's snake_case over a schema whose fields are camelCase: the values' checks stay where they are, only the names change. */
import { z } from 'zod';

/** Takes the fields of `schema` (one level) under their API names and decodes to its output. */
export function snakeObject<Output>(schema: z.ZodObject) {
  const fields = Object.entries(schema.shape).map(([name, field]) => [toSnake(name), field]);
  return z.strictObject(Object.fromEntries(fields)).transform((given) => camelKeys(given) as Output);
}

export function snakeKeys(fields: object): Record<string, unknown> {
  return renameKeys(fields, toSnake);
}

function camelKeys(fields: object): Record<string, unknown> {
  return renameKeys(fields, toCamel);
}

function renameKeys(fields: object, rename: (name: string) => string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [rename(name), value]));
}

function toSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toCamel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
