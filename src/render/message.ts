/**
 * What passes between compiling, rendering and sending.
 *
 * A campaign's message is compiled once: its static text becomes immutable, already MIME-encoded segments. Rendering a
 * recipient yields only which segments follow one another and the recipient's own bytes between them. Sending writes
 * both out as they are, without parsing, encoding or joining anything.
 */

/** The part of a message that is the same for every recipient. Immutable. */
export interface CompiledMessage {
  /** Hex SHA-256 over the segments; names them between render and send, whose code may be of different releases. */
  readonly digest: string;
  /** CRLF line ends, encoded, lines within limits, never beginning a line with a dot. */
  readonly segments: readonly Buffer[];
}

/** A segment's number, or bytes of the recipient's own, encoded like the segments around them. */
export type MessagePart = number | Buffer;

/** One recipient's message. */
export interface RenderedMessage {
  /** Which delivery of the chunk. */
  readonly seq: number;
  /** Envelope recipient (RCPT TO), ASCII unless `needsSmtpUtf8`. */
  readonly to: string;
  /** Envelope sender (MAIL FROM): the VERP return path. */
  readonly returnPath: string;
  /** The local part of `to` is not ASCII (RFC 6531). */
  readonly needsSmtpUtf8: boolean;
  /** In order; the whole message from its first header to its last line end, without the final dot. */
  readonly parts: readonly MessagePart[];
}

/** A grant's messages; an array is one. What waits to be sent may be held as the bytes it came in, and each decoded as it is asked for. */
export type RenderedMessages = Pick<readonly RenderedMessage[], 'length' | 'at'>;
