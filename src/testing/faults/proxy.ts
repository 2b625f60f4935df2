/** A TCP proxy on loopback between one kind of worker and one server: latency, partitions, resets, and replies lost after the deed. */
import { createServer, type Socket } from 'node:net';
import { ProxyLink, type ProxyMode } from './proxy-link.ts';
import type { ProxyRule } from './proxy-rule.ts';
import { type ActiveRule, ProxyRules } from './proxy-rules.ts';

export interface FaultProxy {
  readonly port: number;
  addRule(rule: ProxyRule): ActiveRule;
  setMode(mode: ProxyMode): void;
  /** Resets every connection that is open. */
  cutAll(): void;
  /** No rules, nothing held, nothing slow; what a partition swallowed is cut. */
  heal(): void;
  stop(): Promise<void>;
}

export async function startProxy(targetPort: number): Promise<FaultProxy> {
  const rules = new ProxyRules();
  const links = new Set<ProxyLink>();
  let mode: ProxyMode = { kind: 'pass' };

  function welcome(client: Socket): void {
    client.on('error', () => client.destroy());
    if (mode.kind === 'refuse') client.resetAndDestroy();
    else link(client);
  }

  function link(client: Socket): void {
    const made: ProxyLink = new ProxyLink({
      client,
      targetPort,
      rules,
      mode: () => mode,
      closed: () => links.delete(made),
    });
    links.add(made);
  }

  const server = createServer(welcome);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();

  function cutAll(): void {
    for (const link of [...links]) link.cut();
  }

  return {
    port: typeof address === 'object' && address ? address.port : 0,
    addRule: (rule) => rules.add(rule),
    setMode(wanted) {
      mode = wanted;
    },
    cutAll,
    heal() {
      if (mode.kind === 'blackhole') cutAll();
      mode = { kind: 'pass' };
      rules.clear();
    },
    stop() {
      cutAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
