import { afterEach, describe, expect, test } from 'vitest';
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

describe('a dialogue', () => {
  test('carries messages one after the other', async () => {
    await play(
      { keepBodies: 'all' },
      `S: 220 sink.example ESMTP sink
       C: EHLO client.example
       S: 250-sink.example
       S: 250-PIPELINING
       S: 250-SIZE 52428800
       S: 250-STARTTLS
       S: 250-ENHANCEDSTATUSCODES
       S: 250-8BITMIME
       S: 250 SMTPUTF8
       C: MAIL FROM:<a@sender.example> SIZE=100 BODY=8BITMIME
       S: 250 2.1.0 *
       C: RCPT TO:<zoe@gmail.com>
       S: 250 2.1.5 *
       C: DATA
       S: 354 *
       C: Subject: One
       C: message-id: <one@sender.example>
       C:
       C: Message-ID: <not.this.one>
       C: ..stuffed
       C: .
       S: 250 2.0.0 OK * - gsmtp
       C: MAIL FROM:<>
       S: 250 2.1.0 *
       C: RCPT TO:<"odd >name"@tail.example>
       S: 250 2.1.5 *
       C: RCPT TO:<postmaster>
       S: 250 2.1.5 *
       C: DATA
       S: 354 *
       C: .
       S: 250 2.0.0 Ok: queued as *
       C: QUIT
       S: 221 2.0.0 Bye
       S: <fin>`,
    );
    const [one, two] = sink!.accepted().log;
    expect(one).toMatchObject({ connectionId: 1, from: 'a@sender.example', to: ['zoe@gmail.com'] });
    expect(one!.messageId).toBe('<one@sender.example>');
    expect(one!.bytes!.toString()).toContain('\r\n.stuffed\r\n');
    expect(one!.size).toBe(one!.bytes!.length);
    expect(two).toMatchObject({
      from: '',
      to: ['"odd >name"@tail.example', 'postmaster'],
      messageId: '',
      size: 0,
    });
  });

  test('answers pipelined commands in order and in one segment', async () => {
    const client = await clientOf();
    await playDialogue(
      client,
      `S: 220 *
       C: HELO client.example
       S: 250 sink.example`,
    );
    const before = client.chunksReceived;
    await playDialogue(
      client,
      `C: MAIL FROM:<a@sender.example>
       C: RCPT TO:<b@tail.example>
       C: RCPT TO:not an address
       C: DATA
       S: 250 2.1.0 *
       S: 250 2.1.5 *
       S: 501 5.5.4 *
       S: 354 *`,
    );
    expect(client.chunksReceived - before).toBe(1);
    await playDialogue(
      client,
      `C: Hello
       C: .
       C: MAIL FROM:<a@sender.example>
       C: RCPT TO:<c@tail.example>
       C: DATA
       S: 250 *
       S: 250 *
       S: 250 *
       S: 354 *
       C: .
       C: QUIT
       S: 250 *
       S: 221 *
       S: <fin>`,
    );
    expect(sink!.accepted().messages).toBe(2);
  });

  test('is understood when it comes a byte at a time', async () => {
    const client = await clientOf();
    const commands = [
      'EHLO c',
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<c@d.example>',
      'DATA',
      'Message-ID: <x@y>',
      '',
      'Hi',
      '.',
      'QUIT',
    ];
    for (const byte of commands.map((line) => `${line}\r\n`).join('')) await client.send(byte);
    expect(await client.ending).toBe('fin');
    expect(sink!.accepted().log).toMatchObject([{ to: ['c@d.example'], messageId: '<x@y>', size: 25 }]);
  });

  test('refuses what comes in the wrong order', async () => {
    await play(
      {},
      `S: 220 *
       C: MAIL FROM:<a@b.example>
       S: 503 5.5.1 *
       C: EHLO
       S: 501 5.5.4 *
       C: HELO client.example
       S: 250 *
       C: RCPT TO:<c@d.example>
       S: 503 5.5.1 *
       C: DATA
       S: 503 5.5.1 *
       C: MAIL FROM:<a@b.example>
       S: 250 *
       C: MAIL FROM:<a@b.example>
       S: 503 5.5.1 *
       C: DATA
       S: 554 5.5.1 *
       C: RCPT TO:<c@d.example>
       S: 250 *
       C: RSET
       S: 250 2.0.0 *
       C: DATA
       S: 503 *
       C: STARTTLS now
       S: 501 *
       C: AUTH PLAIN
       S: 502 *`,
    );
  });

  test('refuses what is malformed', async () => {
    await play(
      { extensions: { sizeLimit: 1000 }, maxRecipients: 1 },
      `S: 220 *
       C: EHLO client.example
       S: 250-*
       S: 250-PIPELINING
       S: 250-SIZE 1000
       S: 250-*
       S: 250-*
       S: 250-*
       S: 250 *
       C: BREW coffee
       S: 500 5.5.2 *
       C: MAIL a@b.example
       S: 501 5.5.4 *
       C: MAIL FROM:<a b@c.example>
       S: 501 5.1.7 *
       C: MAIL FROM:<a@b.example> BREW=coffee
       S: 555 5.5.4 *
       C: MAIL FROM:<a@b.example> SIZE=1001
       S: 552 5.3.4 *
       C: MAIL FROM:<zoë@b.example>
       S: 553 5.6.7 *
       C: MAIL FROM:<zoë@b.example> SMTPUTF8
       S: 250 *
       C: RCPT TO:<>
       S: 501 5.1.3 *
       C: RCPT TO:<李@d.example>
       S: 250 *
       C: RCPT TO:<one@too.many.example>
       S: 452 4.5.3 *
       C: VRFY someone
       S: 252 *
       C: NOOP
       S: 250 *`,
    );
  });

  test('takes no message over the size limit, and the next one as usual', async () => {
    await play(
      { extensions: { sizeLimit: 10 } },
      `S: 220 *
       C: HELO client.example
       C: MAIL FROM:<a@b.example>
       C: RCPT TO:<c@d.example>
       C: DATA
       C: far too long
       C: .
       C: MAIL FROM:<a@b.example>
       C: RCPT TO:<c@d.example>
       C: DATA
       C: short
       C: .
       S: 250 *
       S: 250 *
       S: 250 *
       S: 354 *
       S: 552 5.3.4 *
       S: 250 *
       S: 250 *
       S: 354 *
       S: 250 *`,
    );
    expect(sink!.accepted().bytes).toBe(7);
  });

  test('survives lines too long and lines without CR', async () => {
    const client = await clientOf({ maxLineBytes: 100 });
    await client.reply();
    await client.send('N'.repeat(90));
    await client.send('N'.repeat(90));
    expect(await client.reply()).toMatch(/^500 5.5.2 Line too long/);
    await client.send(`${'N'.repeat(500)}\r\nNOOP\r\nNOOP\n`);
    expect(await client.reply()).toMatch(/^250/);
    expect(await client.reply()).toMatch(/^500 5.5.2 Lines end with CRLF/);
    await client.send(`${'N'.repeat(200)}\r\nNOOP\r\n`);
    expect(await client.reply()).toMatch(/^500 5.5.2 Line too long/);
    expect(await client.reply()).toMatch(/^250/);
  });

  test('offers only what it is told to', async () => {
    await play(
      {
        extensions: {
          pipelining: false,
          smtpUtf8: false,
          startTls: false,
          enhancedStatusCodes: false,
          sizeLimit: 0,
        },
      },
      `S: 220 *
       C: EHLO client.example
       S: 250-sink.example
       S: 250 8BITMIME
       C: STARTTLS
       S: 502 STARTTLS not offered
       C: MAIL FROM:<a@b.example> SMTPUTF8
       S: 555 SMTPUTF8 not offered
       C: NOOP
       S: 250 OK`,
    );
  });
});
