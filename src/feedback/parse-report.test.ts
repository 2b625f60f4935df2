import { expect, test } from 'vitest';
import { readFixture } from './fixture-mail.ts';
import { parseReport } from './parse-report.ts';

const token = `dlv_${'7'.repeat(33)}.${'q'.repeat(16)}`;
const parse = (name: string) => parseReport(readFixture(name, { token }));

test.each([
  // fixture, class, permanent, reply code, reason
  ['postfix-unknown-user', 'address', true, 550, '5.1.1 <***>: Recipient address rejected: User unknown'],
  ['postfix-expired', 'transient', false, 0, '4.4.1 connect to mx.gone.example'],
  ['exchange-online-unknown-user', 'address', true, 550, '5.1.10 RESOLVER.ADR.RecipientNotFound'],
  ['gmail-unknown-user', 'address', true, 550, '5.1.1 The email account that you tried to reach'],
  ['gmail-mailbox-full', 'transient', false, 552, "5.2.2 The recipient's inbox is out of storage"],
  ['gmail-policy', 'policy', true, 550, '5.7.26 Your email has been blocked'],
  ['exim-plain', 'address', true, 550, 'No such user here'],
  ['qmail-no-mailbox', 'address', true, 0, '5.1.1 Sorry, no mailbox here by that name.'],
  ['qmail-remote-policy', 'policy', true, 554, '5.7.1 [HM08] Message rejected'],
  ['ironport-quoted-reply', 'address', true, 550, '5.1.1'],
] as const)('%s failed: %s', async (name, replyClass, isPermanent, replyCode, reason) => {
  const report = await parse(name);
  expect(report).toMatchObject({
    kind: 'failed',
    verdict: { class: replyClass, isPermanent },
    replyCode,
    reason: expect.stringContaining(reason),
  });
  expect(report).not.toHaveProperty('reason', expect.stringContaining('@'));
});

test.each([
  ['postfix-delayed', 'delayed'],
  ['postfix-success', 'delivered'],
  ['forwarded-to-two', 'delivered'],
  ['arf-not-spam', 'unrecognised'],
  ['out-of-office', 'auto_reply'],
  ['person', 'unrecognised'],
])('%s: %s', async (name, kind) => {
  expect(await parse(name)).toEqual({ kind });
});

test.each([
  ['arf-yahoo-abuse', [token, token]],
  ['arf-redacted-headers', [token]],
])('%s is a complaint about the message it encloses', async (name, tokens) => {
  expect(await parse(name)).toEqual({ kind: 'complaint', tokens });
});

test('what is cut off, empty or built to be costly is unrecognised and throws nothing', async () => {
  const deep = Array.from(
    { length: 200 },
    (_, i) => `--${i}\r\nContent-Type: multipart/mixed; boundary=${i + 1}\r\n`,
  );
  const mails = [
    '',
    '\r\n\r\n',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nAction',
    `Content-Type: multipart/mixed; boundary=0\r\n\r\n${deep.join('\r\n')}`,
    `Subject: ${'x'.repeat(1_000_000)}\r\n\r\n`,
  ];
  for (const mail of mails) {
    expect(await parseReport(Buffer.from(mail))).toEqual({ kind: 'unrecognised' });
  }
});

test('a megabyte of anything is read in little time', async () => {
  const lines = [
    'a'.repeat(1_000_000),
    '@'.repeat(1_000_000),
    '\r\n '.repeat(300_000),
    '5.5.5 '.repeat(160_000),
  ];
  const started = performance.now();
  for (const text of lines) {
    await parseReport(Buffer.from(`X-Failed-Recipients: a\r\n\r\naddress(es) failed:\r\n${text}`));
    await parseReport(
      Buffer.from(
        `Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nDiagnostic-Code: smtp; ${text}`,
      ),
    );
  }
  expect(performance.now() - started).toBeLessThan(3_000);
});
