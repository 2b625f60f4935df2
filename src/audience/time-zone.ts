/** IANA time zone names, as Node's ICU data knows them. */

/** Whether the name is a zone's; case is forgiven, offsets such as `+02:00` are not zones. */
export function isTimeZone(name: string): boolean {
  const known = answers.get(name);
  if (known !== undefined) return known;
  const answer = zoneName.test(name) && isKnownToIcu(name);
  if (answers.size >= maxAnswers) answers.clear();
  answers.set(name, answer);
  return answer;
}

/** Asking ICU takes some 50 microseconds, too long for each row of an import. Bounded, as names come from outside. */
const answers = new Map<string, boolean>();
const maxAnswers = 2_000;
const zoneName = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/;

function isKnownToIcu(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name.length <= 64;
  } catch {
    return false;
  }
}
