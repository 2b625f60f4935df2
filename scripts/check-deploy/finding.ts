/** One mistake in the manifests, in words: where, and what is not so. */
export interface Finding {
  readonly from: string;
  readonly what: string;
}
