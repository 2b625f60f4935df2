import { afterEach, describe, test } from 'vitest';
import type { SinkOptions } from './options.ts';
import { playDialogue, RawClient } from './raw-client.ts';
import { createSmtpSink, type SmtpSink } from './sink.ts';

let sink: SmtpSink | undefined;
afterEach(() => sink?.stop());

async function clientOf(options: SinkOptions = {}): Promise<RawClient> {
  sink = createSmtpSink(options);
  return RawClient.connect((await sink.start()).port);
}

async function play(options: SinkOptions, dialogue: string): Promise<void> {
  await playDialogue(await clientOf(options), dialogue);
}

describe('authentication', () => {
  const credentials = { user: 'campaign', pass: 'secret' };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test('is demanded before mail and takes PLAIN with an initial response', async () => {
    await play(
      { credentials, requireAuth: true, extensions: { startTls: false } },
      `S: 220 *
       C: HELO client.example
       S: 250 *
       C: MAIL FROM:<a@b.example>
       S: 530 5.7.0 *
       C: AUTH PLAIN ${base64('\0campaign\0wrong')}
       S: 535 5.7.8 *
       C: AUTH PLAIN ${base64('\0campaign\0secret')}
       S: 235 2.7.0 *
       C: AUTH PLAIN ${base64('\0campaign\0secret')}
       S: 503 *
       C: MAIL FROM:<a@b.example>
       S: 250 *`,
    );
  });

  test('takes PLAIN and LOGIN step by step, and a change of mind', async () => {
    await play(
      { credentials },
      `S: 220 *
       C: HELO client.example
       S: 250 *
       C: AUTH CRAM-MD5
       S: 504 *
       C: AUTH PLAIN
       S: 334*
       C: *
       S: 501 5.7.0 *
       C: AUTH PLAIN
       S: 334*
       C: !!
       S: 501 5.5.2 *
       C: AUTH LOGIN
       S: 334 VXNlcm5hbWU6
       C: ${base64('campaign')}
       S: 334 UGFzc3dvcmQ6
       C: ${base64('secret')}
       S: 235 *`,
    );
  });
});
