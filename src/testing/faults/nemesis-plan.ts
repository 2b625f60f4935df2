/** A schedule of faults from a seed: the same seed and length make the same one. Pure. */
import { seededRandom } from '../smtp-sink/seeded-random.ts';
import { type Role, roles } from './fleet.ts';

export type NemesisStep = { readonly atMs: number } & (
  | { readonly do: 'launch'; readonly recipients: number; readonly policy: 'resend' | 'assume_delivered' }
  | { readonly do: 'kill' | 'restart'; readonly role: Role }
  | { readonly do: 'freeze'; readonly role: Role; readonly forMs: number }
  | {
      readonly do: 'cut' | 'slow' | 'partition';
      readonly role: Role;
      readonly server: 'mysql' | 'redis';
      readonly forMs: number;
    }
  | { readonly do: 'kill-server'; readonly server: 'mysql' | 'redis'; readonly forMs: number }
  | { readonly do: 'flush' }
  | {
      readonly do: 'smtp';
      readonly stage: 'connect' | 'mail' | 'data' | 'body' | 'dot';
      readonly takesEffect: boolean;
      readonly times: number;
    }
);

const stages = ['connect', 'mail', 'data', 'body', 'dot'] as const;
const faults = [
  'kill',
  'restart',
  'freeze',
  'cut',
  'slow',
  'partition',
  'kill-server',
  'flush',
  'smtp',
] as const;

export function planNemesis(seed: number, lengthMs: number): readonly NemesisStep[] {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)] as T;
  const steps: NemesisStep[] = [];
  for (let atMs = 0; atMs < lengthMs; atMs += 500 + below(2_000)) {
    const policy = pick(['resend', 'assume_delivered'] as const);
    steps.push({ atMs, do: 'launch', recipients: 50 + below(250), policy });
    steps.push(planFault(atMs + below(1_000)));
  }
  return steps;

  function planFault(atMs: number): NemesisStep {
    const fault = pick(faults);
    const target = {
      role: pick(roles),
      server: pick(['mysql', 'redis'] as const),
      forMs: 300 + below(3_500),
    };
    switch (fault) {
      case 'kill':
      case 'restart':
        return { atMs, do: fault, role: target.role };
      case 'freeze':
        return { atMs, do: fault, role: target.role, forMs: target.forMs };
      case 'kill-server':
        return { atMs, do: fault, server: target.server, forMs: target.forMs };
      case 'flush':
        return { atMs, do: fault };
      case 'smtp':
        return { atMs, do: fault, stage: pick(stages), takesEffect: random() < 0.5, times: 1 + below(6) };
      default:
        return { atMs, do: fault, ...target };
    }
  }
}
