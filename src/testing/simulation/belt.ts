/** The belt: jobs may be lost, doubled, late and out of order, and all of it can be emptied at any moment. */
import type { GrantJob } from '../../queues/jobs.ts';
import { Signal, type Task } from './virtual-time.ts';
import { someMs, type World } from './world.ts';

export type Stage = 'render' | 'send';

const delayedMs = 4_000;

export class Belt {
  readonly arrived: Record<Stage, Signal> = { render: new Signal(), send: new Signal() };
  /** Rendered messages by grant: which deliveries of the chunk. */
  readonly store = new Map<string, readonly number[]>();
  readonly #queues: Record<Stage, GrantJob[]> = { render: [], send: [] };
  #fill = 0;
  #generation: string | null = null;

  enqueue(world: World, stage: Stage, job: GrantJob): void {
    const how = world.faults.take('job')?.how;
    if (how) world.tell?.(`a ${stage} job is ${how}`);
    if (how === 'lost') return;
    this.#send(world, stage, job, how === 'delayed' ? delayedMs : someMs(world, 0, 5));
    if (how === 'doubled') this.#send(world, stage, job, someMs(world, 0, 400));
  }

  /** Any of those that wait; undefined when none does. */
  take(world: World, stage: Stage): GrantJob | undefined {
    const queue = this.#queues[stage];
    return queue.splice(Math.floor(world.random() * queue.length), 1)[0];
  }

  flush(): void {
    this.#queues.render.length = 0;
    this.#queues.send.length = 0;
    this.store.clear();
    this.#generation = null;
    this.#fill++;
  }

  /** The key that tells one filling of the belt from another; `made` is kept when there is none. */
  generation(made: string): { readonly found: string | null; readonly current: string } {
    const found = this.#generation;
    this.#generation ??= made;
    return { found, current: this.#generation };
  }

  #send(world: World, stage: Stage, job: GrantJob, inMs: number): void {
    world.time.spawn(world.outside, this.#arrive(world, stage, job, this.#fill), inMs);
  }

  // biome-ignore lint/correctness/useYield: it waits nowhere.
  *#arrive(world: World, stage: Stage, job: GrantJob, fill: number): Task {
    if (fill !== this.#fill) return;
    this.#queues[stage].push(job);
    world.time.notify(this.arrived[stage]);
  }
}
