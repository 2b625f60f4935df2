/**
 * The providers the sink can play, by the recipient's domain: their domains and their own words. A sink that answers everybody alike
 * proves nothing about a sender that must learn from replies.
 *
 * The texts follow what these providers sent in 2024 to 2026 as seen in public bounce collections and their postmaster pages; addresses
 * in them are of the documentation networks. `{to}` is the recipient's address.
 */
import type { ReplyText } from './replies.ts';
import type { Refusal } from './rule.ts';

export interface Provider {
  readonly name: string;
  readonly domains: readonly string[];
  readonly refusals: Readonly<Record<Refusal, ReplyText>>;
  /** The text after `250 ` for an accepted message. */
  accepted(queueId: string, messageId: string): string;
}

/** Whoever isn't one of the others. */
export const generic: Provider = {
  name: 'generic',
  domains: [],
  refusals: {
    unknownUser: reply(
      550,
      '5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table',
    ),
    mailboxFull: reply(452, '4.2.2 <{to}>: Mailbox full'),
    tryLater: reply(451, '4.7.1 <{to}>: Recipient address rejected: Greylisted, try again in 300 seconds'),
    tooManyConnections: reply(421, '4.7.0 Error: too many connections from 192.0.2.1'),
    tooFast: reply(450, '4.7.1 Error: too much mail from 192.0.2.1'),
    policy: reply(550, '5.7.1 Unauthenticated email is not accepted from this domain'),
    spam: reply(554, '5.7.1 Message rejected: it looks like spam'),
  },
  accepted: (queueId) => `2.0.0 Ok: queued as ${queueId}`,
};

const gmail: Provider = {
  name: 'gmail',
  domains: ['gmail.com', 'googlemail.com'],
  refusals: {
    unknownUser: reply(
      550,
      '5.1.1 The email account that you tried to reach does not exist. Please try',
      "5.1.1 double-checking the recipient's email address for typos or",
      '5.1.1 unnecessary spaces. For more information, go to',
      '5.1.1  https://support.google.com/mail/?p=NoSuchUser d2e1a72fcca58-si123.45 - gsmtp',
    ),
    mailboxFull: reply(
      452,
      "4.2.2 The recipient's inbox is out of storage space. Please direct the",
      '4.2.2 recipient to',
      '4.2.2  https://support.google.com/mail/?p=OverQuotaTemp d2e1a72fcca58-si123.45 - gsmtp',
    ),
    tryLater: reply(451, '4.3.0 Mail server temporarily rejected message. d2e1a72fcca58-si123.45 - gsmtp'),
    tooManyConnections: reply(
      421,
      '4.7.0 Try again later, closing connection. (RCPT) d2e1a72fcca58-si123.45 - gsmtp',
    ),
    tooFast: reply(
      421,
      '4.7.28 Gmail has detected an unusual rate of unsolicited mail originating',
      '4.7.28 from your IP Netblock [192.0.2.0/24]. To protect our users from spam,',
      '4.7.28 mail sent from your IP Netblock has been temporarily rate limited. For more',
      '4.7.28 information, go to',
      '4.7.28  https://support.google.com/mail/?p=UnsolicitedRateLimitError d2e1a72fcca58-si123.45 - gsmtp',
    ),
    policy: reply(
      550,
      '5.7.26 Your email has been blocked because the sender is unauthenticated.',
      '5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM. For',
      '5.7.26 instructions on setting up authentication, go to',
      '5.7.26  https://support.google.com/mail/answer/81126#authentication d2e1a72fcca58-si123.45 - gsmtp',
    ),
    spam: reply(
      550,
      '5.7.1 [192.0.2.1] Gmail has detected that this message is likely',
      '5.7.1 unsolicited mail. To reduce the amount of spam sent to Gmail, this',
      '5.7.1 message has been blocked. For more information, go to',
      '5.7.1  https://support.google.com/mail/?p=UnsolicitedMessageError d2e1a72fcca58-si123.45 - gsmtp',
    ),
  },
  accepted: (queueId) => `2.0.0 OK  1795233436 ${queueId} - gsmtp`,
};

const yahoo: Provider = {
  name: 'yahoo',
  domains: ['yahoo.com', 'aol.com', 'ymail.com', 'rocketmail.com', 'aim.com'],
  refusals: {
    unknownUser: reply(
      554,
      "delivery error: dd This user doesn't have a yahoo.com account ({to}) [0] - mta4123.mail.bf1.yahoo.com",
    ),
    mailboxFull: reply(452, '4.2.2 The recipient you are trying to contact is over quota'),
    tryLater: reply(451, '4.3.2 Internal error reading data'),
    tooManyConnections: reply(
      421,
      '4.7.0 [TSS09] Too many concurrent SMTP connections from 192.0.2.1; please try again later',
    ),
    tooFast: reply(
      421,
      '4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
    ),
    policy: reply(
      554,
      '5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes',
    ),
    spam: reply(
      554,
      '5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes',
    ),
  },
  accepted: () => 'OK , completed',
};

const outlook: Provider = {
  name: 'outlook',
  domains: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com'],
  refusals: {
    unknownUser: reply(
      550,
      '5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [AM3PEPF00009B9D.eurprd04.prod.outlook.com 2026-11-27T14:00:00.000Z 08DCF00000000000]',
    ),
    mailboxFull: reply(
      452,
      '4.2.2 The recipient mailbox is full and cannot accept messages now [AM3PEPF00009B9D.eurprd04.prod.outlook.com]',
    ),
    tryLater: reply(451, '4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)'),
    tooManyConnections: reply(
      421,
      '4.3.2 The maximum number of concurrent connections has exceeded a per-source limit, closing transmission channel',
    ),
    tooFast: reply(
      451,
      '4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775)',
    ),
    policy: reply(
      550,
      '5.7.515 Access denied, sending domain EXAMPLE.COM does not meet the required authentication level. The sender must meet the SPF, DKIM and DMARC requirements.',
    ),
    spam: reply(
      550,
      "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
    ),
  },
  accepted: (queueId, messageId) =>
    `2.6.0 ${messageId} [InternalId=${queueId}, Hostname=DB9PR04MB8123.eurprd04.prod.outlook.com] Queued mail for delivery -> 250 2.1.5`,
};

const icloud: Provider = {
  name: 'icloud',
  domains: ['icloud.com', 'me.com', 'mac.com'],
  refusals: {
    unknownUser: reply(550, '5.1.1 <{to}>: user does not exist'),
    mailboxFull: reply(450, '4.2.2 <{to}>: user is overquota'),
    tryLater: reply(451, '4.7.1 Service unavailable - try again later'),
    tooManyConnections: reply(421, '4.7.0 mx.icloud.example Error: too many connections from 192.0.2.1'),
    tooFast: reply(
      421,
      '4.7.1 Connection rate limit exceeded for 192.0.2.1. Please visit https://support.apple.com/en-us/102322',
    ),
    policy: reply(
      554,
      '5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/102322',
    ),
    spam: reply(
      554,
      '5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/102322',
    ),
  },
  accepted: (queueId) => `2.0.0 Ok: queued as ${queueId}`,
};

const comcast: Provider = {
  name: 'comcast',
  domains: ['comcast.net', 'xfinity.com'],
  refusals: {
    unknownUser: reply(550, '5.1.1 <{to}> Account not available'),
    mailboxFull: reply(452, '4.2.2 <{to}> recipient is over quota'),
    tryLater: reply(421, '4.3.0 resimta-c1p-045532.sys.comcast.net temporarily unavailable, try again later'),
    tooManyConnections: reply(
      421,
      '4.1.0 192.0.2.1 Too many sessions opened - https://postmaster.comcast.net/smtp-error-codes.php#RL000003',
    ),
    tooFast: reply(451, '4.2.0 Throttled - https://postmaster.comcast.net/smtp-error-codes.php#RL000010'),
    policy: reply(
      550,
      '5.2.0 Message rejected due to DMARC. Please see http://postmaster.comcast.net/smtp-error-codes.php#DM000001',
    ),
    spam: reply(
      554,
      'resimta-c1p-045532.sys.comcast.net comcast 192.0.2.1 Comcast block for spam. Please see http://postmaster.comcast.net/smtp-error-codes.php#BL000000',
    ),
  },
  accepted: (queueId) => `2.0.0 ${queueId} mail accepted for delivery`,
};

const gmx: Provider = {
  name: 'gmx',
  domains: ['gmx.de', 'gmx.net', 'gmx.com', 'gmx.at', 'web.de'],
  refusals: {
    unknownUser: reply(
      550,
      'Requested action not taken: mailbox unavailable',
      'For explanation visit https://postmaster.gmx.net/en/case?c=r0601&i=ip&v=192.0.2.1',
    ),
    mailboxFull: reply(452, 'Requested action not taken: mailbox exceeded its storage allocation'),
    tryLater: reply(
      450,
      'Requested mail action not taken: mailbox unavailable',
      'Mailbox is busy, please try again later',
    ),
    tooManyConnections: reply(
      421,
      'gmx.net (mxgmx016) Nemesis ESMTP Service not available',
      'Service closing transmission channel',
      'Too many connections from your host 192.0.2.1',
    ),
    tooFast: reply(
      450,
      'Requested mail action not taken: mailbox unavailable',
      'Mail send limit exceeded.',
      'For explanation visit https://postmaster.gmx.net/en/case?c=r0103&i=ip&v=192.0.2.1',
    ),
    policy: reply(
      554,
      'gmx.net (mxgmx016) Nemesis ESMTP Service not available',
      'No SMTP service',
      'Bad DNS PTR resource record.',
      'For explanation visit https://postmaster.gmx.net/en/case?c=r0401&i=ip&v=192.0.2.1',
    ),
    spam: reply(
      554,
      'Transaction failed',
      'Reject due to policy restrictions.',
      'For explanation visit https://postmaster.gmx.net/en/case?c=hi',
    ),
  },
  accepted: (queueId) => `Requested mail action okay, completed: id=${queueId}`,
};

const orange: Provider = {
  name: 'orange',
  domains: ['orange.fr', 'wanadoo.fr'],
  refusals: {
    unknownUser: reply(
      550,
      '5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]',
    ),
    mailboxFull: reply(452, '4.2.2 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]'),
    tryLater: reply(
      421,
      'mwinf5c10 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR006_103 192.0.2.1 [103]',
    ),
    tooManyConnections: reply(
      421,
      'mwinf5c79 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR005_104 [104]',
    ),
    tooFast: reply(
      421,
      'mwinf5c10 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. LPN007_510 192.0.2.1 [510]',
    ),
    policy: reply(550, '5.7.1 Service refuse. Service refused. OFR_403 [403]'),
    spam: reply(550, '5.2.0 Mail rejete. Mail rejected. ofr_506 [506]'),
  },
  accepted: (queueId) => `2.0.0 ${queueId} mail accepted for delivery`,
};

export const providers: readonly Provider[] = [gmail, yahoo, outlook, icloud, comcast, gmx, orange];

export function refusalFor(provider: Provider, refusal: Refusal, to: string): ReplyText {
  const { code, text } = provider.refusals[refusal];
  return { code, text: text.replaceAll('{to}', to) };
}

function reply(code: number, ...lines: string[]): ReplyText {
  return { code, text: lines.join('\n') };
}
