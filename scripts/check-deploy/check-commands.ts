/** Every command is Node with a program that the image has, and every image is ours. */
import { largerYoungGeneration, nodeOptions } from '../node-options.ts';
import type { CodeFacts } from './code-facts.ts';
import type { Finding } from './finding.ts';
import { containersOf, type PlacedContainer, type Source } from './manifest.ts';

/** Options of Node that may stand before any program. */
const usualOptions = ['--enable-source-maps'];

export function checkCommands(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return containersOf(sources).flatMap((placed) => checkCommand(placed, facts));
}

function checkCommand({ from, name, container }: PlacedContainer, facts: CodeFacts): readonly Finding[] {
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  if (words.length === 0) return [];
  const [program, path = '', ...more] = words.filter((word) => !isOption(word));
  const isThere = program === 'node' && facts.programs.has(path) && more.length === 0;
  if (!isThere) return [{ from, what: `${name}: the image has no "${words.join(' ')}"` }];
  const lacking = nodeOptions(path).filter((option) => !words.includes(option));
  return lacking.map((option) => ({ from, what: `${name}: ${path} is to be started with ${option}` }));
}

function isOption(word: string): boolean {
  return usualOptions.includes(word) || word === largerYoungGeneration;
}

/** In rendered manifests: every container has a command, one and the same image, and that one a release. */
export function checkImages(sources: readonly Source[]): readonly Finding[] {
  const images = new Set(containersOf(sources).map(({ container }) => container.image));
  const several = images.size > 1 ? [`several images: ${[...images].join(', ')}`] : [];
  return [
    ...containersOf(sources).flatMap(({ from, name, container }) => [
      ...(container.command ? [] : [{ from, what: `${name}: has no command` }]),
      ...(isRelease(container.image)
        ? []
        : [{ from, what: `${name}: image ${container.image} names no release` }]),
    ]),
    ...several.map((what) => ({ from: sources[0]?.from ?? '', what })),
  ];
}

/** In rendered manifests: every process runs somewhere. `all.js` is all of them in one. */
export function checkComplete(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  const run = new Set(containersOf(sources).flatMap(({ container }) => container.command ?? []));
  return [...facts.programs]
    .filter((program) => program.startsWith('dist/workers/') && program !== 'dist/workers/all.js')
    .filter((program) => !run.has(program))
    .map((program) => ({ from: sources[0]?.from ?? '', what: `nothing runs ${program}` }));
}

/** The base's placeholder, which an overlay forgot to replace, has no tag. */
function isRelease(image: string | undefined): boolean {
  const tag = /(?:@sha256:[0-9a-f]{64}|:([\w.-]+))$/.exec(image ?? '');
  return tag !== null && tag[1] !== 'latest';
}
