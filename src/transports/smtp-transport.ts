/** The transport of kind `smtp`: a relay or a mailbox provider's server. nodemailer opens the session, the transactions are ours (ADR 12). */
import type { OpenResult, Transport } from './contract.ts';
import { type ServerHabits, SmtpCourier } from './smtp-courier.ts';
import { openSession, type SmtpConfiguration } from './smtp-session.ts';

/** Opens no connection yet: each courier holds one. */
export function smtpTransport(configuration: SmtpConfiguration): Transport {
  const { limits } = configuration;
  const habits: ServerHabits = { dropsAnnounced: false };
  return {
    capabilities: { messagesPerCall: 1, maxCouriers: limits.maxConnections },
    open: () => openCourier(configuration, habits),
  };
}

async function openCourier(configuration: SmtpConfiguration, habits: ServerHabits): Promise<OpenResult> {
  const opened = await openSession(configuration);
  if (opened.kind === 'failed') return { kind: 'failed', failure: opened.failure };
  return {
    kind: 'open',
    courier: new SmtpCourier(opened.session, configuration, habits),
  };
}
