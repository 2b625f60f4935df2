/**
 * The published day (sources: docs/black-friday.md): 22.7 billion messages over four days; 193,000 a second in the peak minute; the peak hour 1.85 times the
 * day's mean, the peak minute 1.85 times the peak hour's.
 *
 * The figures are of different years. A quarter of 22.7 billion with these ratios peaks at 225,000 a second, above the 193,000 that were published: the
 * harder of the two is played.
 */
export const publishedDay = {
  messages: 22.7e9 / 4,
  tenants: 150_000,
  peakHourOverMean: 1.85,
  peakMinuteOverPeakHour: 1.85,
  publishedPeakPerSecond: 193_000,
} as const;

export const hourMs = 3_600_000;

/** Messages a second of the whole platform in the peak minute. */
export const peakPerSecond =
  (publishedDay.messages / 86_400) * publishedDay.peakHourOverMean * publishedDay.peakMinuteOverPeakHour;

/** By hour of the day, its part of the mean hour: nights are quiet, 9 to 10 is the peak hour. Sums to 24. */
export const hourShape = [
  0.35, 0.3, 0.25, 0.25, 0.3, 0.45, 0.8, 1.25, 1.6, 1.85, 1.75, 1.6, 1.5, 1.35, 1.25, 1.2, 1.2, 1.2, 1.15,
  1.1, 1.15, 1.0, 0.65, 0.5,
] as const;

/** Which part of an hour's campaigns is set for which minute; the rest for any. */
export const minuteClusters: readonly (readonly [minute: number, part: number])[] = [
  [0, 0.4],
  [30, 0.25],
  [15, 0.05],
  [45, 0.05],
];

/** Zipf and Mandelbrot: a tenant's messages by its rank are (rank + offset) ^ -exponent of all; the largest sends 0.33 % of them. */
export const tenantSizes = { exponent: 1.3, offset: 100 } as const;

/** The domain mix of real lists, United States (reference figures of 170 million addresses). What a provider takes: part of its share of the peak. */
export const providers = [
  { name: 'gmail', part: 0.501, takesOfPeak: 1.0 },
  { name: 'yahoo', part: 0.226, takesOfPeak: 1.2 },
  { name: 'microsoft', part: 0.124, takesOfPeak: 1.2 },
  { name: 'comcast', part: 0.02, takesOfPeak: 1.5 },
  { name: 'apple', part: 0.016, takesOfPeak: 1.5 },
  { name: 'att', part: 0.011, takesOfPeak: 1.5 },
  { name: 'tail', part: 0.102, takesOfPeak: 2.0 },
] as const;

/** Of messages that the provider takes at all. */
export const answers = { bounced: 0.0107, deferredFirst: 0.05, deferredAgain: 0.2 } as const;
