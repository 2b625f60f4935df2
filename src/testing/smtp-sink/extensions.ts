/** What the sink offers after EHLO. */
export interface Extensions {
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  readonly enhancedStatusCodes: boolean;
  readonly startTls: boolean;
  readonly auth: boolean;
  /** Largest message in bytes, announced by SIZE; 0 offers no SIZE and takes any. */
  readonly sizeLimit: number;
}

export const defaultExtensions: Extensions = {
  pipelining: true,
  eightBitMime: true,
  smtpUtf8: true,
  enhancedStatusCodes: true,
  startTls: true,
  auth: false,
  sizeLimit: 50 * 1024 * 1024,
};

/** The lines after the greeting. STARTTLS is not offered again inside TLS (RFC 3207 section 4.2). */
export function extensionLines(extensions: Extensions, isSecure: boolean): readonly string[] {
  const { pipelining, eightBitMime, smtpUtf8, enhancedStatusCodes, startTls, auth, sizeLimit } = extensions;
  const offers: readonly [boolean, string][] = [
    [pipelining, 'PIPELINING'],
    [sizeLimit > 0, `SIZE ${sizeLimit}`],
    [startTls && !isSecure, 'STARTTLS'],
    [auth, 'AUTH PLAIN LOGIN'],
    [enhancedStatusCodes, 'ENHANCEDSTATUSCODES'],
    [eightBitMime, '8BITMIME'],
    [smtpUtf8, 'SMTPUTF8'],
  ];
  return offers.filter(([isOffered]) => isOffered).map(([, line]) => line);
}
