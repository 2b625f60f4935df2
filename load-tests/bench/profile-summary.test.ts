import { expect, test } from 'vitest';
import { summarize } from './profile-summary.ts';

const frame = (id: number, functionName: string, url = '') => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
});

test('time is that of parts, the largest first, and being idle is none', () => {
  const summary = summarize({
    nodes: [
      frame(1, '(idle)'),
      frame(2, 'writeBuffer'),
      frame(3, 'render', 'file:///app/dist/src/render/render.js'),
      frame(4, 'query', 'file:///app/node_modules/mysql2/lib/connection.js'),
      frame(5, 'load', 'file:///app/dist/src/render/stage/render-stage.js'),
      frame(6, '_write', 'node:internal/streams/writable'),
    ],
    samples: [1, 2, 3, 4, 5, 6, 3],
    timeDeltas: [1_000, 10, 20, 5, 7, 3, 20],
  });
  expect(summary.busyMicros).toBe(65);
  expect(summary.parts).toEqual([
    { name: 'src/render', micros: 47 },
    { name: 'socket writes (system calls)', micros: 10 },
    { name: 'mysql2', micros: 5 },
    { name: 'node: streams and sockets', micros: 3 },
  ]);
  expect(summary.functions[0]).toEqual({ name: 'render render/render.js:10', micros: 40 });
});
