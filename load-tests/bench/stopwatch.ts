/** Times one thing many times over, in this process: the least of several rounds, because what disturbs a measurement only adds. */

export interface StopwatchOptions {
  /** Calls of `each` in one round. */
  readonly count: number;
  /** What one call stands for: µs are told of one of these. */
  readonly items?: number;
  readonly rounds?: number;
}

export const isQuick = process.argv.includes('--quick');

/** Prints µs of time and of this process's CPU. */
export async function measure(
  name: string,
  each: (n: number) => unknown,
  options: StopwatchOptions,
): Promise<void> {
  const { count, items = 1, rounds = isQuick ? 2 : 5 } = options;
  let [wall, cpu] = [Infinity, Infinity];
  for (let round = 0; round <= rounds; round++) {
    const cost = await time(each, count);
    // The first warms the compiler up.
    if (round === 0) continue;
    wall = Math.min(wall, cost.wall / items);
    cpu = Math.min(cpu, cost.cpu / items);
  }
  process.stdout.write(formatCost(name, wall, cpu));
}

export function formatCost(name: string, wallMicros: number, cpuMicros: number): string {
  return `${name.padEnd(56)} ${wallMicros.toFixed(2).padStart(9)} µs ${cpuMicros.toFixed(2).padStart(9)} µs CPU\n`;
}

async function time(each: (n: number) => unknown, count: number) {
  const startedAt = performance.now();
  const cpuAtStart = process.cpuUsage();
  for (let n = 0; n < count; n++) {
    const result = each(n);
    if (result instanceof Promise) await result;
  }
  const { user, system } = process.cpuUsage(cpuAtStart);
  return { wall: ((performance.now() - startedAt) * 1000) / count, cpu: (user + system) / count };
}
