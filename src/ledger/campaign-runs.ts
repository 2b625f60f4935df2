/** Whether a campaign runs, as SQL: intents ask it of the row that they lock, the dispatcher of what it may hand out and of what it parks. */

/** `alias`: what the statement calls `campaigns`; none where it reads no other table. Past its deadline none runs, whatever its state. */
export function campaignRuns(alias?: string): string {
  const of = alias === undefined ? '' : `${alias}.`;
  return `${of}state IN ('expanding', 'sending') AND ${of}paused_at IS NULL AND ${of}deadline_at > NOW(3)`;
}
