/** Wordings that many servers share. The first table is asked before the codes, the second when the codes say nothing. */
import type { ReplyEffect } from './contract.ts';
import type { ReplyRule } from './reply-rule.ts';

/** These words are said of senders, and as often of single messages: a short pause. The send stage wants several refusals before any. */
export const contentVerdict: ReplyEffect = {
  action: 'pause_sender',
  scope: 'sender',
  durationMs: 15 * 60_000,
};

/** Stronger than any code: these words have one meaning, their codes have several. */
export const plainWordRules: readonly ReplyRule[] = [
  {
    class: 'transient',
    code: [421, 421],
    text: /\bidle\b|time-?out|timed out|shutting down|restarting/i,
    source: 'Postfix, Exim, Exchange: the session ends for its own reasons',
    example: '421 mx.example.org: SMTP command timeout - closing connection',
  },
  {
    class: 'transient',
    code: [400, 499],
    text: /gr[ea]y ?-?list/i,
    source: 'RFC 6647',
    example:
      '451 4.7.1 Greylisted for 300 seconds (see http://isg.ee.ethz.ch/tools/postgrey/help/example.ee.html)',
  },
  {
    class: 'policy',
    code: [400, 499],
    text: /cannot find your (?:reverse )?hostname|reverse dns (?:failure|lookup failed)/i,
    source: 'Postfix reject_unknown_client_hostname; Comcast: no reverse DNS for the IP address',
    example: '450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]',
  },
  {
    // Of one recipient: asked before words such as "rate limit", which are mostly about us.
    class: 'transient',
    code: [400, 499],
    text: /(?:recipient|mailbox|user|account)(?:'s)? (?:\S{1,40} )?(?:has )?(?:received|is receiving|exceeded).{0,40}(?:rate|too (?:many|quickly|fast)|limit)|mailbox (?:is )?(?:busy|locked|in use)|recipient rate/i,
    source: 'Common wordings: a mailbox that takes no more for now',
    example: '451 4.7.1 Recipient user@example.org has received too many messages, try again later',
  },
  {
    class: 'throttled',
    text: /too many (?:concurrent )?(?:connections|sessions|messages|errors)|too frequent connect|rate ?-?limit|\bthrottl|slow(?:ing)? down|(?:sending|message|hourly|connection) (?:rate|limit|quota) (?:has been )?(?:exceeded|reached)/i,
    source: 'Postfix anvil, Exim ratelimit, cPanel, Mimecast wordings',
    example: '450 4.7.1 Error: too many connections from 192.0.2.1',
  },
  {
    class: 'account',
    code: [500, 599],
    text: /authentication (?:is )?required|must (?:be )?authenticat|not authenticated|relay(?:ing)? (?:access )?(?:is )?(?:denied|not permitted|prohibited)|(?:unable|not permitted|not allowed) to relay/i,
    source: 'RFC 4954 §6; Postfix, Exim and Exchange relay refusals',
    example: '554 5.7.1 <user@example.org>: Relay access denied',
  },
  {
    class: 'transient',
    code: [503, 503],
    source: 'RFC 5321 §4.2.2: bad sequence; the session went wrong, not the message',
    example: '503 5.5.1 Bad sequence of commands',
  },
  {
    class: 'transient',
    text: /(?:mailbox|inbox|user|recipient|account|storage)\b.{0,30}\b(?:is full|full|over ?-?quota|quota exceeded|exceeded (?:its|the|his|their)? ?(?:storage|quota|limit))|over ?-?quota|quota exceeded|out of storage/i,
    source: 'RFC 3463 x.2.2: full mailboxes are emptied again',
    example: '552 5.2.2 <user@example.org>: user is over quota',
  },
];

/** Asked last before the reply code itself: replies without an enhanced code, or with x.0.0, 5.1.0 and the like. */
export const vagueCodeRules: readonly ReplyRule[] = [
  {
    class: 'policy',
    text: /spamhaus|spamcop|barracuda|sorbs|proofpoint|block ?-?list|black ?-?list|deny ?-?list|listed (?:at|by|in|on)\b|\bdnsbl\b|\brbl\b|reputation|\bspam\b|\bvirus\b|malware|phish|bulk mail/i,
    effect: contentVerdict,
    source: 'Common wordings of blocklists and filters',
    example: '554 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org',
  },
  {
    class: 'policy',
    text: /\bspf\b|\bdkim\b|\bdmarc\b|reverse dns|\bptr\b|(?:local|security|administrative) policy|policy (?:reasons|violation|rejection)|(?:content|message) (?:rejected|blocked|refused)|prohibited|unauthori[sz]ed|access denied/i,
    effect: contentVerdict,
    source: 'Common wordings of sender policies',
    example: '550 Message rejected: From domain fails DMARC with policy reject',
  },
  {
    class: 'message',
    text: /sender (?:address|domain).{0,40}(?:reject|invalid|does not exist|not found|must)|envelope sender|invalid sender|bad sender/i,
    source: 'Postfix reject_unknown_sender_domain, qmail',
    example: '553 sorry, your envelope sender domain must exist',
  },
  {
    class: 'message',
    text: /message (?:size|too (?:large|big|long))|(?:size|length) (?:exceeds|limit)|too large|maximum (?:message )?size/i,
    source: 'RFC 1870 §6',
    example: '552 Message size exceeds fixed maximum message size',
  },
  {
    class: 'address',
    text: /(?:user|recipient|mailbox|address|account|local ?part)\b.{0,60}\b(?:unknown|not (?:found|exist|known|available|active|valid|a valid)|(?:does not|doesn't|does n't|didn't) exist|invalid|disabled|inactive|deactivated|unavailable|no longer|suspended)|(?:unknown|invalid|no such|nonexistent|non-existent|bad|inactive) (?:local |virtual )?(?:user|recipient|mailbox|address|account|person|domain)|no mailbox|not our customer|destinataire invalide|undeliverable address/i,
    source: 'Common wordings of unknown users',
    example: '550 Requested action not taken: mailbox unavailable',
  },
];
