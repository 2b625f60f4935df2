/**
 * Where the fleet shares a few connections, a window leaves in pieces. A grant, and a job, is one worker's: were a window of 300 given away in two,
 * both may go to the same worker, and the others' connections have nothing to send until it is done. In sixteenths each has some of it nearly
 * always. Elsewhere any worker may open as many as it has use for, and few large grants cost less. Pure.
 */
import { largestJob } from '../queues/jobs.ts';
import type { DestinationState } from './demand.ts';
import type { ReadyChunk } from './sift-candidates.ts';

const partOfWindow = 1 / 16;
/** Smaller ones cost more than they are worth. */
const smallestPiece = 16;

/** It holds enough whole chunks for all to have some. */
const largeWindow = 4_000;

/** Most messages of one grant and of one job of the destination. */
export type Pieces = (destinationId: number) => number;

export function piecesOf(destinations: readonly DestinationState[]): Pieces {
  const pieces = new Map(
    destinations.map((destination) => [destination.destinationId, pieceOf(destination)]),
  );
  return (destinationId) => pieces.get(destinationId) ?? largestJob;
}

export function cutToPieces(ready: readonly ReadyChunk[], pieces: Pieces): readonly ReadyChunk[] {
  return ready.map(({ chunk, most }) => ({ chunk, most: Math.min(most, pieces(chunk.lane.destinationId)) }));
}

function pieceOf({ windowMessages, sharesConnections }: DestinationState): number {
  if (!sharesConnections || windowMessages >= largeWindow) return largestJob;
  return Math.max(smallestPiece, Math.ceil(windowMessages * partOfWindow));
}
