/** MAIL, RCPT and DATA for one message, with the parameters that the server offers. Pure. */
import type { RenderedMessage } from '../render/message.ts';
import type { SmtpOffers } from './smtp-takeover.ts';

export interface EnvelopeCommands {
  readonly mail: string;
  readonly rcpt: string;
  readonly data: string;
}

/** `refuseEnvelope` has let the addresses pass: nothing in them can end a command. */
export function envelopeCommands(
  { returnPath, to }: Pick<RenderedMessage, 'returnPath' | 'to'>,
  size: number,
  offers: Pick<SmtpOffers, 'size' | 'smtpUtf8' | 'eightBitMime'>,
): EnvelopeCommands {
  let mail = `MAIL FROM:<${returnPath}>`;
  if (offers.smtpUtf8 && isInternational(returnPath + to)) {
    // RFC 6531 §3.1: the header then holds the address in UTF-8, and 8-bit octets have to be announced (RFC 6152).
    mail += offers.eightBitMime ? ' SMTPUTF8 BODY=8BITMIME' : ' SMTPUTF8';
  }
  if (offers.size) mail += ` SIZE=${size}`;
  return { mail: `${mail}\r\n`, rcpt: `RCPT TO:<${to}>\r\n`, data: 'DATA\r\n' };
}

function isInternational(addresses: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
  return !/^[\x00-\x7f]*$/.test(addresses);
}
