/** What a reader of files makes of a line, and how it says that the file as a whole is no use. */
import type { ProfilePatch } from './profile.ts';

export type ImportRow =
  | { readonly kind: 'profile'; readonly line: number; readonly patch: ProfilePatch }
  | {
      readonly kind: 'rejected';
      readonly line: number;
      /** Column or path; absent when the line as a whole is wrong. */
      readonly field?: string;
      /** For people; never holds what stood in the file, which may be anybody's. */
      readonly detail: string;
    };

/** Takes a file's text piece by piece. Holds back what may go on in the next piece, and no more than one row. */
export interface RowReader {
  push(text: string): ImportRow[];
  end(): ImportRow[];
}

/** The file can't be read at all; trying again would not help. `message` goes to the user. */
export class ImportFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ImportFailure';
  }
}

/** A profile's attributes may be 100 KB; this leaves room for what CSV and JSON put around them. Characters. */
export const maxRowLength = 262_144;

/**
 * What decoding puts where bytes are not UTF-8. A file that really holds this character was mangled before it came
 * here, so it is reported as well.
 */
export const replacementCharacter = '\ufffd';
export const notUtf8 = 'is not UTF-8';
