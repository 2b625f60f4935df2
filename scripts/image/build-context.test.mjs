import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contextFilter, copiesOf } from './build-context.mjs';

test('of the Dockerfile the files count that come from the repository, in the stage that compiles', () => {
  const dockerfile =
    'FROM node AS build\nCOPY a.json b.json ./\nRUN x\nCOPY src src\nFROM node\nCOPY --from=build /app/dist dist\n';
  expect(copiesOf(dockerfile)).toEqual([
    { sources: ['a.json', 'b.json'], destination: './' },
    { sources: ['src'], destination: 'src' },
  ]);
});

test.each(['COPY --chown=node src src', 'ADD x y', 'COPY ["a", "b"]', 'COPY src \\'])(
  'what is not understood is refused: %s',
  (line) => {
    expect(() => copiesOf(`FROM node\n${line}\n`)).toThrow('is not understood');
  },
);

test('the last pattern of .dockerignore that matches a path or a folder above it decides', () => {
  const isInContext = contextFilter('# all\n*\n!src\n!.npmrc\n**/*.test.ts\n');
  const paths = [
    'src/a.ts',
    'src/x/y.ts',
    '.npmrc',
    'src/a.test.ts',
    'src/x/a.test.ts',
    'load-tests/a.ts',
    'srcs',
  ];
  expect(paths.filter(isInContext)).toEqual(['src/a.ts', 'src/x/y.ts', '.npmrc']);
  expect(() => contextFilter('[a-z]')).toThrow('is not understood');
});

test('our own files are understood', () => {
  const isInContext = contextFilter(readFileSync('.dockerignore', 'utf8'));
  const sources = copiesOf(readFileSync('Dockerfile', 'utf8')).flatMap((copy) => copy.sources);
  expect(sources).toContain('src');
  expect(sources.filter((path) => !isInContext(path))).toEqual([]);
});
