/** What a schedule must never make happen. Thrown where it is seen, and reported with the schedule. */
export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

export type Invariant =
  | 'no delivery is lost'
  | 'only a resent doubt is sent twice'
  | 'what was accepted is sent or in doubt'
  | 'transitions are those of the table'
  | 'epochs only rise'
  | 'a message starts only under an intent and a lease of its own'
  | 'one worker at most trusts its lease on a chunk'
  | 'counters equal rows'
  | 'nothing starts after its bound'
  | 'the window holds'
  | 'a crash leaves in doubt only the wire, two groups and what was not yet written'
  | 'a deploy leaves nothing in doubt'
  | 'only poison is skipped as poison';
