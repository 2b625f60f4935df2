/** The processes: their lives, and the faults that end or interrupt these. */
import { Dispatcher } from './dispatcher-model.ts';
import { assertDeployed, setDoubtBudget } from './invariants.ts';
import { Renderer } from './renderer-model.ts';
import { Sender } from './sender-model.ts';
import type { Host, Task } from './virtual-time.ts';
import { type Life, someMs, type World } from './world.ts';

type Kind = 'dispatcher' | 'renderer' | 'sender';

class Process implements Host {
  life = 0;
  stoppedUntil = 0;
  readonly name: string;
  readonly kind: Kind;
  sender: Sender | undefined;

  constructor(kind: Kind, no: number) {
    this.kind = kind;
    this.name = `${kind} ${no}`;
  }
}

/** Less than the margin of trust, or no margin could help. */
const mostDrift = 0.08;
const longestRestartMs = 1_500;

export class Fleet {
  readonly #world: World;
  readonly #processes: readonly Process[];

  constructor(world: World) {
    this.#world = world;
    const kinds: readonly Kind[] = ['dispatcher', 'renderer', 'sender'];
    this.#processes = kinds.flatMap((kind) => [new Process(kind, 1), new Process(kind, 2)]);
  }

  start(): void {
    for (const process of this.#processes) this.#begin(process);
  }

  /** What is armed strikes whose turn it is. */
  strike(host: Host): void {
    const { faults, tell, time } = this.#world;
    if (faults.isSpent || !(host instanceof Process)) return;
    const stop = faults.take('stop');
    if (stop) {
      tell?.(`${host.name} is stopped for ${stop.ms} ms`);
      host.stoppedUntil = time.now + stop.ms;
    }
    if (host.sender && !host.sender.state.isStopping && faults.take('deploy'))
      this.#deploy(host, host.sender);
    if (faults.take('crash')) this.#crash(host);
  }

  #begin(process: Process): void {
    const { random } = this.#world;
    const owner = `${process.name}.${process.life}`;
    const life: Life = { host: process, owner, drift: (random() * 2 - 1) * mostDrift };
    if (process.kind === 'dispatcher') new Dispatcher(this.#world, life).start();
    else if (process.kind === 'renderer') new Renderer(this.#world, life, () => this.#crash(process)).start();
    else this.#beginSending(process, life);
  }

  #beginSending(process: Process, life: Life): void {
    process.sender = new Sender(this.#world, life);
    this.#world.senders.set(life.owner, process.sender.state);
    process.sender.start();
  }

  #crash(process: Process): void {
    this.#world.tell?.(`${process.name} crashes`);
    if (process.sender) setDoubtBudget(this.#world, process.sender.state);
    this.#end(process);
  }

  #deploy(process: Process, sender: Sender): void {
    const { time, tell } = this.#world;
    tell?.(`${process.name} is told to stop`);
    const ended = () => {
      tell?.(`${process.name} has stopped`);
      assertDeployed(this.#world, sender.state);
      this.#end(process);
    };
    time.spawn(process, sender.stop(ended));
  }

  #end(process: Process): void {
    const { time, outside, senders } = this.#world;
    if (process.sender) senders.delete(process.sender.state.owner);
    process.sender = undefined;
    process.life++;
    process.stoppedUntil = 0;
    time.spawn(outside, this.#restart(process), someMs(this.#world, 50, longestRestartMs));
  }

  // biome-ignore lint/correctness/useYield: it waits nowhere.
  *#restart(process: Process): Task {
    this.#begin(process);
  }
}
