/** AUTH PLAIN (RFC 4616) and LOGIN, line by line. */
export interface Credentials {
  readonly user: string;
  readonly pass: string;
}

export type AuthStep =
  /** Ask for one more line with this challenge, already in base64. */
  | { readonly kind: 'ask'; readonly challenge: string }
  | { readonly kind: 'credentials'; readonly credentials: Credentials }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'unknown mechanism' };

const ASK_USER = Buffer.from('Username:').toString('base64');
const ASK_PASSWORD = Buffer.from('Password:').toString('base64');
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export class AuthExchange {
  readonly #mechanism: string;
  #user: string | undefined;

  constructor(mechanism: string) {
    this.#mechanism = mechanism.toUpperCase();
  }

  begin(initialResponse: string | undefined): AuthStep {
    if (this.#mechanism !== 'PLAIN' && this.#mechanism !== 'LOGIN') return { kind: 'unknown mechanism' };
    if (initialResponse !== undefined) return this.answer(initialResponse === '=' ? '' : initialResponse);
    return { kind: 'ask', challenge: this.#mechanism === 'PLAIN' ? '' : ASK_USER };
  }

  answer(line: string): AuthStep {
    if (line === '*') return { kind: 'cancelled' };
    if (!BASE64.test(line)) return { kind: 'malformed' };
    const text = Buffer.from(line, 'base64').toString('utf8');
    return this.#mechanism === 'PLAIN' ? plain(text) : this.#login(text);
  }

  #login(text: string): AuthStep {
    if (this.#user !== undefined)
      return { kind: 'credentials', credentials: { user: this.#user, pass: text } };
    this.#user = text;
    return { kind: 'ask', challenge: ASK_PASSWORD };
  }
}

function plain(text: string): AuthStep {
  const [, user, pass, ...rest] = text.split('\0');
  if (user === undefined || pass === undefined || rest.length > 0) return { kind: 'malformed' };
  return { kind: 'credentials', credentials: { user, pass } };
}
