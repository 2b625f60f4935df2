/** The API's snake_case over a schema whose fields are camelCase: the values' checks stay where they are, only the names change. */
import { z } from 'zod';

/** Takes the fields of `schema`, those of objects within it too, under their API names and decodes to its output. */
export function snakeObject<Output>(schema: z.ZodObject): z.ZodType<Output> {
  return (snakeField(schema) as z.ZodType).transform((given) => given as Output);
}

/** Fields of objects, nested ones too; keys of records are names without capitals and stay as they are. */
export function snakeKeys(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      toSnake(name),
      isObject(value) ? snakeKeys(value) : value,
    ]),
  );
}

/** The same check under API names; an object is checked by itself once more, for what holds between its fields. */
function snakeField(field: z.core.$ZodType): z.core.$ZodType {
  if (field instanceof z.ZodOptional) return (snakeField(field.unwrap()) as z.ZodType).optional();
  if (field instanceof z.ZodRecord)
    return z.record(field.keyType as z.ZodString, snakeField(field.valueType));
  if (!(field instanceof z.ZodObject)) return field;
  const fields = Object.entries(field.shape).map(([name, inner]) => [toSnake(name), snakeField(inner)]);
  return z.strictObject(Object.fromEntries(fields)).transform(camelKeys).pipe(field);
}

function camelKeys(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [toCamel(name), value]));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toCamel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
