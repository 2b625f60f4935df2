/** What one template and one message may cost. Bounds, not tuning: a real campaign is an order of magnitude below each. */
export const limits = {
  /** Source sizes, in UTF-16 units. Gmail clips at 102 KB of HTML. */
  htmlLength: 512 * 1024,
  textLength: 512 * 1024,
  subjectLength: 4 * 1024,
  preheaderLength: 4 * 1024,
  mjmlLength: 256 * 1024,
  /** Tags and outputs of one template. */
  liquidTokens: 20_000,
  /** One part of one message: time, and characters and array items that its filters, ranges and captures make. */
  renderMs: 100,
  renderMemory: 2_000_000,
  /** One rendered subject, in UTF-16 units, and one rendered message, in octets as sent and in parts. */
  renderedSubject: 1_000,
  messageBytes: 1024 * 1024,
  messageParts: 20_000,
} as const;
