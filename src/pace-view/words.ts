/** Figures in sentences. */

export function count(messages: number): string {
  return `${messages.toLocaleString('en-US')} ${messages === 1 ? 'message' : 'messages'}`;
}

export function inTime(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds <= 0) return 'now';
  if (seconds < 120) return `in ${seconds} s`;
  if (seconds < 7_200) return `in ${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `in ${Math.round(seconds / 3_600)} h`
    : `in ${Math.round(seconds / 86_400)} days`;
}
