/** Trying a transport for the person who configured it: connects, greets, secures, logs in and leaves; sends nothing. */
import { z } from 'zod';
import { verifySmtp } from '../transports/verify-smtp.ts';
import { getOwnTransport, type OwnTransport, type TransportParts } from './transport-actions.ts';
import { toConfiguration } from './transport-secrets.ts';

export const verificationOut = z
  .object({
    ok: z.boolean(),
    steps: z
      .array(z.object({ step: z.string(), result: z.enum(['ok', 'failed', 'skipped']) }))
      .meta({ description: 'In their order; those behind a failed one are skipped' }),
    failure: z
      .object({
        cause: z.enum(['refused', 'timeout', 'tls', 'auth', 'busy', 'blocked', 'forbidden']),
        reply_code: z.int().meta({ description: '0 when the server said nothing' }),
        reply_text: z.string(),
      })
      .nullable(),
    server: z
      .object({ is_encrypted: z.boolean(), max_size: z.number(), extensions: z.array(z.string()) })
      .nullable()
      .meta({ description: 'What the server said it can do' }),
  })
  .meta({ id: 'TransportVerification' });

/** Only for its owner: it shows what the server says. Answers within about ten seconds, whatever the server does. */
export async function verifyTransport(options: TransportParts, own: OwnTransport) {
  const transport = await getOwnTransport(options.db, own);
  const { secretBox, hostPolicy } = options;
  const { ok, steps, failure, server } = await verifySmtp(toConfiguration(transport, secretBox, hostPolicy));
  return {
    ok,
    steps,
    failure: failure
      ? { cause: failure.cause, reply_code: failure.reply.code, reply_text: failure.reply.text }
      : null,
    server: server
      ? { is_encrypted: server.isEncrypted, max_size: server.maxSize, extensions: server.extensions }
      : null,
  };
}
