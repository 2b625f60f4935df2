/** Mails as they came back, for tests: `fixtures/*.txt` with our tokens put in and lines ended as SMTP ends them. */
import { readFileSync } from 'node:fs';

export interface FixtureTokens {
  /** Stands where the message that is reported on had its own. */
  readonly token: string;
  /** Of another delivery, whose return path the report came to. */
  readonly other?: string;
}

export function readFixture(name: string, { token, other = token }: FixtureTokens): Buffer {
  const text = readFileSync(new URL(`fixtures/${name}.txt`, import.meta.url), 'latin1');
  const filled = text.replaceAll('TOKEN', token).replaceAll('OTHER', other);
  return Buffer.from(filled.replaceAll('\n', '\r\n'), 'latin1');
}
