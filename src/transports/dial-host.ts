/** Connects a TCP socket to a host that the policy has vetted. */
import type { LookupAddress } from 'node:dns';
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { OpenFailure } from './contract.ts';
import type { HostPolicy, HostVerdict } from './host-policy.ts';
import { ownReply } from './reply-text.ts';

export type DialResult =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly step: 'resolve' | 'connect'; readonly failure: OpenFailure };

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly policy: HostPolicy;
  /** For the look-up and all addresses together. */
  readonly timeoutMs: number;
}

/** Looks up, vets, connects. Leaves no socket behind when it fails. Never throws. */
export async function dialHost(target: DialTarget): Promise<DialResult> {
  const startedAt = performance.now();
  const verdict = await vetInTime(target);
  if (verdict.kind !== 'allowed') return refused('resolve', verdict);
  const leftMs = Math.max(1, target.timeoutMs - (performance.now() - startedAt));
  return connectToAny(target, verdict.addresses, leftMs);
}

type Refusal = Exclude<HostVerdict, { kind: 'allowed' }> | { readonly kind: 'late'; readonly text: string };

/** A look-up can't be cancelled; it is left to end by itself. */
function vetInTime({ host, policy, timeoutMs }: DialTarget): Promise<HostVerdict | Refusal> {
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => resolve({ kind: 'late', text: `looking up ${host} took over ${timeoutMs} ms` }),
      timeoutMs,
    );
    policy.vet(host).then((verdict) => {
      clearTimeout(timer);
      resolve(verdict);
    });
  });
}

/** Tries the addresses in turn, IPv6 and IPv4 interleaved (RFC 8305), all of them vetted. */
function connectToAny(
  { host, port, timeoutMs }: DialTarget,
  addresses: readonly LookupAddress[],
  leftMs: number,
): Promise<DialResult> {
  return new Promise((resolve) => {
    const socket = connect({
      host: addresses.length === 1 ? (addresses[0]?.address ?? host) : host,
      port,
      lookup: alreadyLookedUp(addresses),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: Math.ceil(Math.max(10, Math.min(leftMs / addresses.length, 2000))),
    });
    const settle = (result: DialResult) => {
      clearTimeout(timer);
      socket.removeAllListeners('connect').removeAllListeners('error');
      // From here on the socket has an owner; an error before it listens must not end the process.
      socket.on('error', ignore);
      resolve(result);
    };
    const fail = (cause: 'refused' | 'timeout', text: string) => {
      settle({ kind: 'failed', step: 'connect', failure: { cause, reply: ownReply(text) } });
      socket.destroy();
    };
    const timer = setTimeout(() => fail('timeout', `no connection within ${timeoutMs} ms`), leftMs);
    socket.once('connect', () => settle({ kind: 'connected', socket }));
    socket.once('error', (error) => fail(...connectFailure(error)));
  });
}

/** Hands the socket the vetted addresses instead of a second look-up. */
function alreadyLookedUp(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const first = addresses[0];
    if (options.all || !first) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

function connectFailure(error: Error): ['refused' | 'timeout', string] {
  const code = (error as NodeJS.ErrnoException).code;
  return [code === 'ETIMEDOUT' ? 'timeout' : 'refused', `no connection (${code ?? error.message})`];
}

function refused(step: 'resolve', { kind, text }: Refusal): DialResult {
  const cause = kind === 'forbidden' ? 'forbidden' : kind === 'late' ? 'timeout' : 'refused';
  return { kind: 'failed', step, failure: { cause, reply: ownReply(text) } };
}

function ignore(): void {}
