/** A reply that says no. The server puts the enhanced code before it (RFC 2034): 550 5.1.1, 451 4.3.0, 421 4.4.2. */
export class SmtpRefusal extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, text: string) {
    super(text);
    this.name = 'SmtpRefusal';
    this.responseCode = responseCode;
  }
}
