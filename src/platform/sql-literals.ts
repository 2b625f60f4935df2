/**
 * Values as SQL text, for statements of hundreds of rows: the driver's own formatting, made for any value anywhere, costs
 * several times as much. For values in value lists only, never for names.
 */

/** Right in any SQL mode but NO_BACKSLASH_ESCAPES, which sessions here never have (`mysql.ts` sets theirs), and in UTF-8. */
export function textLiteral(text: string): string {
  return `'${needsEscape.test(text) ? text.replace(escaped, escapeOne) : text}'`;
}

/** Throws on anything but whole bytes in hex. */
export function hexLiteral(hex: string): string {
  if (!wholeBytes.test(hex)) throw new TypeError('not hexadecimal');
  return `x'${hex}'`;
}

const needsEscape = /['\\\0]/;
const escaped = /['\\\0]/g;
const wholeBytes = /^(?:[0-9a-f]{2})*$/;

function escapeOne(character: string): string {
  return character === '\0' ? '\\0' : `\\${character}`;
}
