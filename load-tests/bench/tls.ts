/** What STARTTLS costs: the same campaign to our own sink with it and without (smtp-sink has no TLS). */
import { findFreePort } from '../../scripts/demo/children.ts';
import type { BenchContext } from './context.ts';
import { startOwnSink } from './target.ts';
import { takeTurns, type WayCosts } from './turns.ts';

export async function measureTls(context: BenchContext): Promise<WayCosts> {
  const sink = await startOwnSink(await findFreePort());
  const transportFor = async (tls: string) => ({
    transportId: await context.installation.createTransport({ port: sink.port, tls, tls_verify: false }),
  });
  try {
    return await takeTurns(context, {
      'without TLS': await transportFor('none'),
      STARTTLS: await transportFor('starttls'),
    });
  } finally {
    sink.stop();
  }
}
