/** The published numbers, as any autoscaler reads them. */
import type { Desired } from './pool-change.ts';

export type Reading = Desired & { readonly why: Readonly<Record<keyof Desired, string>> };

const timeoutMs = 5_000;

interface Pool {
  readonly desired_workers: number;
  readonly reason: string;
  readonly sendable_messages: number;
  readonly upcoming_messages: number;
}

/** Undefined: there are none now, and the fleet is left as it is. */
export async function readDesired(baseUrl: string, adminToken: string): Promise<Reading | undefined> {
  const headers = { authorization: `Bearer ${adminToken}` };
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const reply = await fetch(`${baseUrl}/v1/platform/scaling`, { headers, signal });
    if (!reply.ok) return undefined;
    const { pools } = (await reply.json()) as { pools: { render: Pool; send: Pool } };
    const { render, send } = pools;
    return {
      ...{ render: render.desired_workers, send: send.desired_workers },
      why: { render: whyOf(render), send: whyOf(send) },
    };
  } catch {
    return undefined;
  }
}

function whyOf({ reason, sendable_messages: sendable, upcoming_messages: upcoming }: Pool): string {
  const soon = upcoming > 0 ? `, ${upcoming} begin soon` : '';
  return `${reason}: ${sendable} may go now${soon}`;
}
