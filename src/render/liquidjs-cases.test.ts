/** LiquidJS's own public test cases, without those for other templates, other delimiters and asynchronous data. */
import { readFileSync } from 'node:fs';
import { Liquid } from 'liquidjs';
import { expect, test } from 'vitest';
import { htmlEngine, textEngine } from './liquid-engine.ts';
import { MessageEmitter } from './message-emitter.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';
import { decodeQuotedPrintable } from './sample-message.ts';
import { replaceStaticNodes } from './static-nodes.ts';
import { evaluateTemplate, type ParsedTemplate, parseTemplate } from './template.ts';
import { TextEmitter } from './text-emitter.ts';

/** Where it comes from, the template, its variables, and what it prints, or null where it fails. */
type Case = readonly [origin: string, source: string, variables: object, output: string | null];

const file = readFileSync(new URL('liquidjs-cases.jsonl', import.meta.url), 'utf8');
const cases = file
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => JSON.parse(line) as Case);
const plainHtml = new Liquid({ outputEscape: 'escape', ownPropertyOnly: true, timezoneOffset: 0 });
const globals = { now: '2026-11-27T10:00:00.000Z' };

test.each(cases)('%s: %j', (_, source, variables, output) => {
  expect(orNull(() => printText(parse(textEngine, source), variables))).toBe(output);
  expect(orNull(() => printMessage(parse(textEngine, source), variables))).toBe(output && asSent(output));
  const escaped = orNull(() => String(plainHtml.parseAndRenderSync(source, structuredClone(variables))));
  expect(orNull(() => printText(parse(htmlEngine, source), variables))).toBe(escaped);
});

function parse(engine: Liquid, source: string): ParsedTemplate {
  const result = parseTemplate(engine, source);
  if (result.kind === 'invalid') throw new Error(result.problem.detail);
  return result.template;
}

function printText(template: ParsedTemplate, variables: object): string {
  const emitter = new TextEmitter();
  evaluateTemplate(template, { variables: structuredClone(variables), globals }, emitter);
  return emitter.buffer;
}

/** Through segments and encoding, and back. */
function printMessage(template: ParsedTemplate, variables: object): string {
  const segments: Buffer[] = [];
  replaceStaticNodes(
    template.nodes,
    (text) => segments.push(Buffer.from(encodeQuotedPrintable(text), 'latin1')) - 1,
  );
  const emitter = new MessageEmitter(segments);
  evaluateTemplate(template, { variables: structuredClone(variables), globals }, emitter);
  const bytes = emitter
    .finish()
    .map((part) => (typeof part === 'number' ? (segments[part] as Buffer) : part));
  return decodeQuotedPrintable(Buffer.concat(bytes).toString('latin1'));
}

/** In a mail lines end with CRLF, and there are no control characters. */
function asSent(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r\u0080-\u009f]/gu, '').replace(/\r\n?|\n/g, '\r\n');
}

function orNull<T>(print: () => T): T | null {
  try {
    return print();
  } catch {
    return null;
  }
}
