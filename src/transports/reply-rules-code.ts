/** What the codes say by the book: RFC 3463 and IANA's registry for enhanced codes, RFC 5321 §4.2 for reply codes. */
import type { ReplyRule } from './reply-rule.ts';
import { contentVerdict } from './reply-rules-text.ts';

export const enhancedCodeRules: readonly ReplyRule[] = [
  {
    class: 'address',
    enhanced: /^[45]\.1\.(?:[12346]|10)$/,
    source: 'RFC 3463 x.1.1 to x.1.4, x.1.6; RFC 7505 x.1.10 null MX',
    example: '550 5.1.1 The email account that you tried to reach does not exist.',
  },
  {
    class: 'message',
    enhanced: /^[45]\.1\.[78]$/,
    source: "RFC 3463 x.1.7, x.1.8: bad sender's address",
    example: '553 5.1.8 <bounce@example.org>... Domain of sender address does not exist',
  },
  {
    class: 'address',
    enhanced: /^[45]\.2\.1$/,
    source: 'RFC 3463 x.2.1: mailbox disabled',
    example: '550 5.2.1 The email account that you tried to reach is inactive.',
  },
  {
    class: 'transient',
    enhanced: /^[45]\.2\.2$/,
    source: 'RFC 3463 x.2.2: mailbox full, said with 4yz and 5yz alike',
    example: '552 5.2.2 The recipient has no room left',
  },
  {
    class: 'message',
    enhanced: /^[45]\.2\.3$|^[45]\.3\.4$/,
    source: 'RFC 3463 x.2.3, x.3.4: message too big',
    example: '552 5.3.4 Message size exceeds fixed limit',
  },
  {
    class: 'transient',
    enhanced: /^[45]\.3\.[0-35]$/,
    source: 'RFC 3463 x.3.z: the other system is full, stopped or misconfigured',
    example: '452 4.3.1 Insufficient system storage',
  },
  {
    class: 'address',
    enhanced: /^5\.4\.4$/,
    source: 'RFC 3463 5.4.4: the domain has no host',
    example: '550 5.4.4 Host or domain name not found. Name service error for name=example.invalid type=MX',
  },
  {
    class: 'message',
    enhanced: /^5\.4\.(?:6|14)$/,
    source: 'RFC 3463 x.4.6; Exchange 5.4.14: loop',
    example: '554 5.4.14 Hop count exceeded - possible mail loop ATTR34',
  },
  {
    class: 'transient',
    enhanced: /^[45]\.4\.\d+$/,
    source: 'RFC 3463 x.4.z: network and routing, 4.4.7 included (the relay gave up, we may not have)',
    example: '451 4.4.1 No answer from host',
  },
  {
    class: 'transient',
    enhanced: /^4\.5\.\d+$/,
    source: 'RFC 3463 x.5.z, temporary: 4.5.3 too many recipients for now',
    example: '452 4.5.3 Too many recipients',
  },
  {
    class: 'message',
    enhanced: /^5\.5\.[1-9]\d*$/,
    source: 'RFC 3463 x.5.z: protocol',
    example: '555 5.5.4 Unsupported option: SMTPUTF8',
  },
  {
    class: 'message',
    enhanced: /^5\.6\.\d+$/,
    source: 'RFC 3463 x.6.z: content; RFC 6531 x.6.7',
    example: '554 5.6.0 Message has a malformed header',
  },
  {
    class: 'address',
    enhanced: /^[45]\.7\.(?:13|17|18)$/,
    source: 'RFC 5248 x.7.13 user disabled; RFC 7293 x.7.17, x.7.18 owner changed',
    example: '550 5.7.17 Mailbox owner has changed',
  },
  {
    class: 'throttled',
    enhanced: /^[45]\.7\.(?:28|38)$/,
    source: 'IANA x.7.28: mail flood detected',
    example: '421 4.7.28 Mail flood detected',
  },
  {
    class: 'account',
    enhanced: /^5\.7\.(?:8|9|11)$/,
    source: 'RFC 4954: credentials refused, mechanism too weak, encryption required',
    example: '535 5.7.8 Authentication credentials invalid',
  },
  {
    class: 'message',
    enhanced: /^[45]\.7\.27$/,
    source: "RFC 7505 x.7.27: the sender's domain takes no mail",
    example: '550 5.7.27 Sender address has a null MX',
  },
  {
    class: 'throttled',
    enhanced: /^4\.7\.\d+$/,
    source: 'RFC 3463 x.7.z, temporary: in practice reputation and rate',
    example: '421 4.7.0 Try again later, closing connection.',
  },
  {
    class: 'policy',
    enhanced: /^5\.7\.(?:[2-9]|\d{2,})$/,
    source: 'RFC 3463 5.7.z; Gmail 5.7.26, Exchange Online 5.7.509, 5.7.515',
    example:
      "550 5.7.515 Access denied, sending domain example.org doesn't meet the required authentication level.",
  },
];

/** 5.7.0 and 5.7.1 are said about everything, so words come first (`vagueCodeRules`). */
export const lastRules: readonly ReplyRule[] = [
  {
    class: 'account',
    code: [530, 530],
    source: 'RFC 4954 §6',
    example: '530 5.7.0 Must issue a STARTTLS command first',
  },
  {
    class: 'policy',
    enhanced: /^5\.7\.[01]$/,
    effect: contentVerdict,
    source: 'RFC 3463 5.7.0, 5.7.1: not authorised',
    example: '550 5.7.1 Delivery not authorized by the recipient',
  },
  {
    class: 'throttled',
    code: [421, 421],
    source: 'RFC 5321 §3.8: closing the channel',
    example: '421 mx.example.org Service not available, closing transmission channel',
  },
  {
    class: 'transient',
    code: [400, 499],
    source: 'RFC 5321 §4.2.1: 4yz',
    example: '451 Requested action aborted: local error in processing',
  },
  {
    class: 'account',
    code: [534, 538],
    source: 'RFC 4954 §6',
    example: '535 Authentication Credentials Invalid',
  },
  {
    class: 'address',
    code: [521, 521],
    source: 'RFC 7504: the host takes no mail at all',
    example: '521 Host does not accept mail',
  },
  {
    class: 'address',
    code: [556, 556],
    source: 'RFC 7504: the domain takes no mail at all',
    example: '556 Domain does not accept mail',
  },
  {
    /*
     * A bare 550 means, by RFC 5321 §4.2.3, "mailbox not found, no access, or command rejected for policy reasons".
     * Suppressing on it would let one misconfigured relay suppress a whole audience.
     */
    class: 'message',
    code: [500, 599],
    source: 'RFC 5321 §4.2.1: 5yz',
    example: '550 Requested action not taken',
  },
];
