/** What can be refused without asking the server. Pure. */
import type { RenderedMessage } from '../render/message.ts';
import type { Outcome, ReplyClass } from './contract.ts';
import { ownReply } from './reply-text.ts';

export interface EnvelopeLimits {
  readonly smtpUtf8: boolean;
  /** Octets; 0 = not said. */
  readonly maxSize: number;
}

/** Why this message can't go over a session with these offers, as an outcome; undefined when it can. */
export function refuseEnvelope(
  message: Pick<RenderedMessage, 'to' | 'returnPath' | 'needsSmtpUtf8'>,
  size: number,
  offers: EnvelopeLimits,
): Outcome | undefined {
  if (message.to === '' || forbidden.test(message.to))
    return rejected('address', '5.1.3', 'the recipient address is malformed');
  // Empty is RFC 5321's null return path.
  if (forbidden.test(message.returnPath)) return rejected('message', '5.1.7', 'the return path is malformed');
  if (!offers.smtpUtf8 && (message.needsSmtpUtf8 || !isAscii(message.to) || !isAscii(message.returnPath)))
    // The address may well exist: another transport might reach it, so it isn't suppressed.
    return rejected('message', '5.6.7', 'the address needs SMTPUTF8, which the server does not offer');
  if (offers.maxSize > 0 && size > offers.maxSize)
    return rejected('message', '5.3.4', `${size} octets, the server takes at most ${offers.maxSize}`);
  return undefined;
}

/** Nothing that could end the address, the line or the command. */
const forbidden = /[\p{Cc}\s<>]/u;

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
  return /^[\x00-\x7f]*$/.test(text);
}

function rejected(replyClass: ReplyClass, enhanced: string, text: string): Outcome {
  return { kind: 'rejected', class: replyClass, reply: ownReply(text, enhanced) };
}
