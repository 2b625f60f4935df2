/** Why a session couldn't be opened, read from nodemailer's errors. */
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { OpenFailure, Reply } from './contract.ts';
import { cleanText, ownReply, parseReply } from './reply-text.ts';
import type { SmtpError } from './smtp-error.ts';
import type { SmtpSecret } from './smtp-settings.ts';

/** In the order in which they are taken. */
export type OpenStep = 'resolve' | 'connect' | 'greeting' | 'ehlo' | 'tls' | 'auth';

export interface FailedLogin {
  readonly login: { readonly user: string };
  readonly secret?: SmtpSecret | undefined;
}

type Reason = { readonly kind: 'failed'; readonly error: Error } | { readonly kind: 'late' };

/** Which step failed and why. With a login, texts are cleared of its password: servers have been seen to echo commands. */
export function explainOpenFailure(
  connection: SMTPConnection,
  reason: Reason,
  failed?: FailedLogin,
): { step: OpenStep; failure: OpenFailure } {
  const error: SmtpError | undefined = reason.kind === 'failed' ? reason.error : undefined;
  const step = failed ? 'auth' : stepOf(connection, error);
  const reply = error?.response ? parseReply(error.response) : ownReply(ownText(step, error));
  const failure: OpenFailure = { cause: causeOf(step, error, reply), reply };
  return { step, failure: failed ? withoutSecret(failure, failed) : failure };
}

function stepOf(connection: SMTPConnection, error: SmtpError | undefined): OpenStep {
  if (connection.upgrading || error?.code === 'ETLS') return 'tls';
  const greeting = connection.lastServerResponse;
  const isGreeted =
    typeof greeting === 'string' && !(error?.command === 'CONN' && error.response === greeting);
  return isGreeted ? 'ehlo' : 'greeting';
}

function causeOf(step: OpenStep, error: SmtpError | undefined, reply: Reply): OpenFailure['cause'] {
  if (!error || error.code === 'ETIMEDOUT') return 'timeout';
  if (step === 'tls') return 'tls';
  // SES says 454 to a login that comes too often. It is not the password that is wrong.
  if (reply.code >= 400 && reply.code < 500) return 'busy';
  if (step === 'auth') return error.code === 'EAUTH' ? 'auth' : 'refused';
  return reply.code >= 500 ? 'blocked' : 'refused';
}

function ownText(step: OpenStep, error: SmtpError | undefined): string {
  if (!error) return `the server took too long (${step})`;
  const detail = error.originalCode ?? error.code;
  return detail && detail !== 'ECONNECTION' ? `${error.message} (${detail})` : error.message;
}

function withoutSecret(failure: OpenFailure, { login, secret }: FailedLogin): OpenFailure {
  if (!secret) return failure;
  const { password } = secret;
  const spellings = [`\0${login.user}\0${password}`, password].flatMap((text) => [
    Buffer.from(text).toString('base64'),
    cleanText(text),
  ]);
  const text = spellings.reduce(
    (rest, spelling) => rest.replaceAll(spelling, '[secret]'),
    failure.reply.text,
  );
  return { ...failure, reply: { ...failure.reply, text } };
}
