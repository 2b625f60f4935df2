/**
 * Time that passes only when nothing is left to do now: tasks are generators that yield how long they wait, or what they wait for.
 *
 * A task runs from one `yield` to the next without anything in between, as JavaScript does from `await` to `await`; so each `yield` is
 * a step at which its process may crash or be stopped for a while.
 */

/** Milliseconds, or a signal. */
export type Wait = number | Signal;
export type Task<T = void> = Generator<Wait, T, void>;

/** Something tasks wait for together. */
export class Signal {
  waiters: Scheduled[] = [];
}

/** What runs tasks: the time of a stop, and whether a task of it still counts. */
export interface Host {
  readonly name: string;
  /** Raised by a crash: what an earlier life has begun never goes on. */
  life: number;
  /** Stopped (SIGSTOP) until then. */
  stoppedUntil: number;
}

interface Scheduled {
  at: number;
  order: number;
  readonly task: Task;
  readonly host: Host;
  readonly life: number;
}

export class VirtualTime {
  now = 0;
  steps = 0;
  #order = 0;
  readonly #heap: Scheduled[] = [];

  spawn(host: Host, task: Task, inMs = 0): void {
    this.#push({ at: this.now + inMs, order: this.#order++, task, host, life: host.life });
  }

  notify(signal: Signal): void {
    const { waiters } = signal;
    if (waiters.length === 0) return;
    signal.waiters = [];
    for (const waiter of waiters) this.#pushAt(waiter, this.now);
  }

  /** Runs until `isOver` or `untilMs`; `beforeStep` may crash or stop the host whose turn it is. */
  run(isOver: () => boolean, untilMs: number, beforeStep: (host: Host) => void): void {
    for (let next = this.#pop(); next; next = this.#pop()) {
      if (next.host.life !== next.life) continue;
      this.now = Math.max(this.now, next.at);
      if (this.now > untilMs) return;
      if (next.host.stoppedUntil > this.now) {
        this.#pushAt(next, next.host.stoppedUntil);
        continue;
      }
      this.steps++;
      beforeStep(next.host);
      if (next.host.life !== next.life) continue;
      if (next.host.stoppedUntil > this.now) this.#pushAt(next, next.host.stoppedUntil);
      else this.#step(next);
      if (isOver()) return;
    }
  }

  #step(scheduled: Scheduled): void {
    const { done, value } = scheduled.task.next();
    // A task may crash its own host: then what it waits for never comes.
    if (done || scheduled.host.life !== scheduled.life) return;
    if (typeof value === 'number') this.#pushAt(scheduled, this.now + value);
    else value.waiters.push(scheduled);
  }

  #pushAt(scheduled: Scheduled, at: number): void {
    scheduled.at = at;
    scheduled.order = this.#order++;
    this.#push(scheduled);
  }

  #push(scheduled: Scheduled): void {
    const heap = this.#heap;
    let at = heap.push(scheduled) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, scheduled)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = scheduled;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
