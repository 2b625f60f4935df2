/**
 * The feedback stage: bounces and complaints come by SMTP to the return paths of our messages and settle the ledger.
 * To point a bounce domain here, set the transport's `bounce_domain` and publish `bounces.example.com. MX 10 <this host>.`
 * (docs/feedback.md).
 */
import type { Lifecycle } from '../platform/lifecycle.ts';
import { createReportIntake, type ReportIntakeOptions } from './report-intake.ts';
import { readReturnPath } from './return-path.ts';
import { createSmtpListener, type ListenerLimits } from './smtp-listener.ts';

export interface FeedbackStageOptions extends ReportIntakeOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits?: Partial<ListenerLimits>;
}

export interface FeedbackStage extends Lifecycle {
  /** The one it listens on, once started. */
  readonly port: number;
}

export function createFeedbackStage(options: FeedbackStageOptions): FeedbackStage {
  const { host, port, log, metrics, signingKeys } = options;
  return createSmtpListener({
    host,
    port,
    log,
    metrics,
    limits: { ...defaultLimits, ...options.limits },
    findRecipient: (address) => readReturnPath(signingKeys, address),
    intake: createReportIntake(options),
  });
}

/** All refusals by limit are temporary, so that a provider's burst of reports comes later instead of never. */
const defaultLimits: ListenerLimits = {
  messageBytes: 1_048_576,
  connections: 50,
  // An MTA in front is one client.
  sessionsPerClient: 20,
  sessionsPerClientPerMinute: 600,
  refusedRecipientsPerSession: 10,
  idleMs: 300_000,
  sessionMs: 900_000,
  commitMs: 15_000,
  closeMs: 2_000,
};
