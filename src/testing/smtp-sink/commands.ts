/** A command line taken apart (RFC 5321 section 4.1). Verbs are upper-case. */
export interface Command {
  readonly verb: string;
  readonly argument: string;
}

/** The address of MAIL FROM or RCPT TO and the ESMTP parameters after it, keywords upper-case, in their order. */
export interface Path {
  readonly address: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();
const PATH = /^:[ \t]*<((?:"(?:\\.|[^"\\])*"|[^<>"])*)>(.*)$/s;
const ADDRESS = /^(?:"(?:\\.|[^"\\])+"|[^\s"@<>]+)@[^\s"@<>]+$/;

export function parseCommand(line: string): Command {
  const space = line.indexOf(' ');
  if (space === -1) return { verb: line.toUpperCase(), argument: '' };
  return { verb: line.slice(0, space).toUpperCase(), argument: line.slice(space + 1).trim() };
}

/** Takes apart `FROM:<...> params` or `TO:<...> params`; undefined when it isn't one. */
export function parsePath(keyword: 'FROM' | 'TO', argument: string): Path | undefined {
  if (argument.slice(0, keyword.length).toUpperCase() !== keyword) return undefined;
  const found = PATH.exec(argument.slice(keyword.length));
  if (found === null) return undefined;
  return { address: found[1]!, parameters: parseParameters(found[2]!) };
}

export function isAddress(text: string): boolean {
  return ADDRESS.test(text) || text.toLowerCase() === 'postmaster';
}

/** The domain in lower case; '' for `postmaster` and the null sender. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at === -1 ? '' : address.slice(at + 1).toLowerCase();
}

export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function parseParameters(text: string): ReadonlyMap<string, string> {
  if (text.trim() === '') return NO_PARAMETERS;
  const parameters = new Map<string, string>();
  for (const word of text.trim().split(/\s+/)) {
    const equals = word.indexOf('=');
    if (equals === -1) parameters.set(word.toUpperCase(), '');
    else parameters.set(word.slice(0, equals).toUpperCase(), word.slice(equals + 1));
  }
  return parameters;
}
