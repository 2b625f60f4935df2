/** The UTC day of a moment, as `YYYY-MM-DD`: what daily quotas and warm-ups count by. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
