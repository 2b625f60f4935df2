/** How much more one destination may have outstanding, for itself and beside all others. Pure. */
import { deliveryClasses } from '../ledger/states.ts';
import type { DestinationState } from './demand.ts';

/** Messages that may be added now. */
export interface Room {
  /** By all classes together. */
  readonly all: number;
  /** Of these by flows and campaigns, at most. */
  readonly bulk: number;
  /** By those of their tenants that hold nothing here, `bulk` included. */
  readonly newcomers: number;
}

type Window = Pick<DestinationState, 'windowMessages' | 'quotaMessages' | 'outstanding'>;

const { transactional } = deliveryClasses;
/** Of a window, kept for transactional mail: it never waits for a window to drain. */
const partKept = 1 / 8;
/** And of a small window at least so many, but never more than half of it. */
const fewMessages = 4;
/** And for tenants of flows and campaigns that hold nothing here: none waits until others' grants have ended. */
const partForNewcomers = 1 / 8;
/** Too small a window to be parted once more. */
const smallWindow = 32;
/** A newcomer's first grant is worth so much. */
const smallestFirst = 16;
/** A class that nearly fills its window waits until this part of it is free: many small grants cost more than one. */
const smallestRefill = 1 / 8;

/**
 * A destination never holds more than is free for all, for transactional mail twice that (dynamic thresholds, Choudhury and Hahne 1998), and a pass
 * gives away only half of what is free, to all in proportion. However many destinations stall with full windows, there is room for the next.
 */
export function roomOf(window: Window, free: number): Room {
  const { windowMessages, outstanding } = window;
  const held = heldBy(window);
  const shared = Math.min(windowMessages - held, 2 * free - held);
  const all = atLeastNone(Math.min(free, Math.max(shared, ownRoom(window, free))));
  const [, flows, campaigns] = outstanding.byClass;
  const ofBulk = windowMessages - keptOf(windowMessages) - flows - campaigns;
  const newcomers = atLeastNone(Math.min(all, shared, ofBulk, free - held));
  return {
    all,
    bulk: atLeastNone(Math.min(newcomers, ofBulk - keptForNewcomers(windowMessages))),
    newcomers,
  };
}

/** What is kept for transactional mail is there though the others hold more than a window that has shrunk. A day's quota is not passed for it. */
function ownRoom(window: Window, free: number): number {
  const { windowMessages, quotaMessages = Number.POSITIVE_INFINITY, outstanding } = window;
  const [transactional] = outstanding.byClass;
  const kept = Math.min(keptOf(windowMessages), 2 * free) - transactional;
  return Math.min(kept, quotaMessages - heldBy(window));
}

function atLeastNone(messages: number): number {
  return Math.max(0, messages);
}

/** A part of it, of at most `left`; what is open gets at least one message, or a probe would never go. */
export function scaleRoom({ all, bulk, newcomers }: Room, part: number, left: number): Room {
  const scale = (room: number) => Math.min(left, room, Math.max(1, Math.floor(room * part)));
  return { all: scale(all), bulk: scale(bulk), newcomers: scale(newcomers) };
}

/** Could lanes of this class get more, if there were no others? Asked before any lane is read. */
export function hasRoom(window: Window, deliveryClass: number): boolean {
  const room = roomOf(window, Number.POSITIVE_INFINITY);
  if (deliveryClass === transactional) return room.all > 0;
  return isWorthwhile(room.bulk, window.outstanding.byClass[deliveryClass] ?? 0);
}

/** Or at least those whose tenants hold nothing here? Less than anybody else's refill, or they would still wait for room that others are given first. */
export function hasRoomForNewcomers(window: Window, deliveryClass: number): boolean {
  const { newcomers } = roomOf(window, Number.POSITIVE_INFINITY);
  const kept = keptForNewcomers(window.windowMessages);
  return deliveryClass !== transactional && kept > 0 && newcomers >= Math.min(smallestFirst, kept / 2);
}

/** Is it worth a grant to add so many to what a class of bulk mail has outstanding? */
export function isWorthwhile(room: number, held: number): boolean {
  return room > 0 && room >= smallestRefill * (held + room);
}

export function heldBy({ outstanding }: Pick<Window, 'outstanding'>): number {
  const [transactional, flows, campaigns] = outstanding.byClass;
  return transactional + flows + campaigns;
}

/** A window of a few messages keeps none. */
function keptOf(windowMessages: number): number {
  if (windowMessages <= fewMessages) return 0;
  return Math.min(Math.max(fewMessages, Math.ceil(windowMessages * partKept)), windowMessages >> 1);
}

function keptForNewcomers(windowMessages: number): number {
  return windowMessages < smallWindow ? 0 : Math.floor(windowMessages * partForNewcomers);
}
