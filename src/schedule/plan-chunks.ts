/** Cuts a page of the audience into chunks: each of one destination, hence of one lane, and of at most 500. Pure. */
import { groupBy } from '../platform/group-by.ts';
import type { AudienceProfile } from './audience-page.ts';

export const largestChunk = 500;

export interface PlannedChunk {
  readonly chunkNo: number;
  readonly destination: string;
  readonly profiles: readonly AudienceProfile[];
}

export function planChunks(
  profiles: readonly AudienceProfile[],
  destinationOf: (domain: string) => string,
  firstChunkNo: number,
): readonly PlannedChunk[] {
  const chunks: PlannedChunk[] = [];
  for (const [destination, members] of groupBy(profiles, ({ email }) => destinationOf(domainOf(email)))) {
    for (let at = 0; at < members.length; at += largestChunk) {
      chunks.push({
        chunkNo: firstChunkNo + chunks.length,
        destination,
        profiles: members.slice(at, at + largestChunk),
      });
    }
  }
  return chunks;
}

export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1);
}
