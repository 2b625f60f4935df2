/** Tries a transport's configuration without sending anything, step by step, for the person who entered it. */
import type { OpenFailure, Reply } from './contract.ts';
import type { OpenStep } from './open-failure.ts';
import { SmtpCourier } from './smtp-courier.ts';
import { openSession, type SmtpConfiguration, type SmtpSession } from './smtp-session.ts';
import type { SmtpSettings, TransportLimits } from './smtp-settings.ts';

export interface VerifyStep {
  readonly step: OpenStep | 'quit';
  /** `skipped`: the settings don't ask for it, or an earlier step failed. */
  readonly result: 'ok' | 'failed' | 'skipped';
}

export interface Verification {
  readonly ok: boolean;
  /** All steps, in their order. */
  readonly steps: readonly VerifyStep[];
  /** Of the step that failed; free of the password. */
  readonly failure?: { readonly cause: OpenFailure['cause']; readonly reply: Reply };
  /** What the server said it can do, when it was asked. */
  readonly server?: {
    readonly isEncrypted: boolean;
    readonly maxSize: number;
    readonly extensions: readonly string[];
  };
}

/** Whoever presses the button waits: no more than about ten seconds in all. */
const verifyLimits = { connectTimeoutMs: 3000, greetingTimeoutMs: 3000, handshakeTimeoutMs: 3000 };

/** Connects, greets, secures, logs in and leaves. Never throws. */
export async function verifySmtp(configuration: SmtpConfiguration): Promise<Verification> {
  const { settings } = configuration;
  const limits = shorter(configuration.limits);
  const opened = await openSession({ ...configuration, limits });
  if (opened.kind === 'failed')
    return { ok: false, steps: stepsUntil(settings, opened.step), failure: opened.failure };
  const server = describeServer(opened.session);
  await new SmtpCourier(opened.session, { limits }).close();
  return { ok: true, steps: stepsUntil(settings, undefined), server };
}

function shorter(limits: TransportLimits): TransportLimits {
  const least = (key: keyof typeof verifyLimits) => Math.min(limits[key], verifyLimits[key]);
  return {
    ...limits,
    connectTimeoutMs: least('connectTimeoutMs'),
    greetingTimeoutMs: least('greetingTimeoutMs'),
    handshakeTimeoutMs: least('handshakeTimeoutMs'),
  };
}

/** With implicit TLS the handshake comes before the greeting. */
function orderOf(settings: SmtpSettings): readonly VerifyStep['step'][] {
  return settings.tls === 'implicit'
    ? ['resolve', 'connect', 'tls', 'greeting', 'ehlo', 'auth', 'quit']
    : ['resolve', 'connect', 'greeting', 'ehlo', 'tls', 'auth', 'quit'];
}

function stepsUntil(settings: SmtpSettings, failed: OpenStep | undefined): VerifyStep[] {
  const order = orderOf(settings);
  const last = failed === undefined ? order.length : order.indexOf(failed);
  return order.map((step, i) => ({ step, result: resultOf(settings, step, i - last) }));
}

function resultOf(settings: SmtpSettings, step: VerifyStep['step'], position: number): VerifyStep['result'] {
  if (position === 0) return 'failed';
  const isAsked = step === 'tls' ? settings.tls !== 'none' : step === 'auth' ? !!settings.auth : true;
  return position < 0 && isAsked ? 'ok' : 'skipped';
}

function describeServer({ offers }: SmtpSession): NonNullable<Verification['server']> {
  return { isEncrypted: offers.isEncrypted, maxSize: offers.maxSize, extensions: offers.lines };
}
