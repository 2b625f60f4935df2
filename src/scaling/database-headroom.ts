/**
 * How many workers the database has room for. Pure.
 *
 * The fleet shares DATABASE_FLEET_CONNECTIONS however many processes it has (ADR 9): more of them only make each share smaller, down to two, from where on they would
 * be more load. A worker that has less than it can use is of no use before that. So the pools never grow beyond what the cap gives each of them whole.
 */
import type { Pools } from './pool.ts';

/** What a process gets at least, as in `fleet-share.ts`. */
const smallestShare = 2;

/** Workers of all pools together. At least one each: without it nothing would ever be sent. */
export function workersWithin(
  fleetConnections: number,
  otherProcesses: number,
  statementsPerWorker: number,
): number {
  const left = fleetConnections - otherProcesses * smallestShare;
  return Math.max(2, Math.floor(left / statementsPerWorker));
}

/**
 * The most that each pool may have. Where there is room for what both need, each may have what the other doesn't; else its part of the room, in proportion. A part
 * that differs by one from what a full fleet has now is not worth a worker's restart: needs vary with every reading.
 */
export function shareRoom(room: number, needed: Pools<number>, present: Pools<number>): Pools<number> {
  if (needed.render + needed.send <= room) return { render: room - needed.send, send: room - needed.render };
  const isFull = present.render > 0 && present.send > 0 && present.render + present.send === room;
  const part = (room * needed.render) / (needed.render + needed.send);
  const render = Math.min(room - 1, Math.max(1, Math.round(part)));
  const isNear = Math.abs(render - present.render) <= 1;
  return isFull && isNear ? present : { render, send: room - render };
}
