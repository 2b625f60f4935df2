/** Campaigns that are due become deliveries page by page, one page of each in turn, as the scheduler does it. */
import { pageSize } from '../../schedule/expand-page.ts';
import type { Campaign } from './campaigns.ts';
import { providers } from './published-day.ts';

export interface ExpandedPage {
  readonly campaign: Campaign;
  /** By destination. */
  readonly messages: readonly number[];
}

interface Expanding {
  readonly campaign: Campaign;
  expanded: number;
  readonly given: number[];
}

export class Expansion {
  readonly #campaigns: readonly Campaign[];
  #next = 0;
  #expanding: Expanding[] = [];
  #credit = 0;
  /** Of campaigns that are due. */
  waiting = 0;

  constructor(campaigns: readonly Campaign[]) {
    this.#campaigns = campaigns;
  }

  get isOver(): boolean {
    return this.#next === this.#campaigns.length && this.#expanding.length === 0;
  }

  startDue(nowMs: number): void {
    for (let campaign = this.#campaigns[this.#next]; campaign && campaign.dueMs <= nowMs; ) {
      this.#expanding.push({ campaign, expanded: 0, given: providers.map(() => 0) });
      this.waiting += campaign.messages;
      campaign = this.#campaigns[++this.#next];
    }
  }

  upcoming(untilMs: number): number {
    let messages = 0;
    for (let at = this.#next; (this.#campaigns[at]?.dueMs ?? Infinity) <= untilMs; at++)
      messages += (this.#campaigns[at] as Campaign).messages;
    return messages;
  }

  expand(recipients: number): readonly ExpandedPage[] {
    this.#credit = this.#expanding.length === 0 ? 0 : this.#credit + recipients;
    const pages: ExpandedPage[] = [];
    while (this.#expanding.length > 0 && this.#credit > 0) {
      const turn = this.#expanding;
      this.#expanding = [];
      for (const [i, one] of turn.entries()) {
        if (this.#credit <= 0) {
          this.#expanding = [...turn.slice(i), ...this.#expanding];
          break;
        }
        pages.push(this.#page(one));
        if (one.expanded < one.campaign.messages) this.#expanding.push(one);
      }
    }
    return pages;
  }

  /** Of each destination its part of all so far, so that rounding loses nobody; the last page has the rest. */
  #page(one: Expanding): ExpandedPage {
    const size = Math.min(pageSize, one.campaign.messages - one.expanded);
    one.expanded += size;
    this.#credit -= size;
    this.waiting -= size;
    let left = size;
    const messages = providers.map(({ part }, i) => {
      const isLast = i === providers.length - 1;
      const n = isLast ? left : Math.min(left, Math.round(one.expanded * part) - (one.given[i] as number));
      one.given[i] = (one.given[i] as number) + n;
      left -= n;
      return n;
    });
    return { campaign: one.campaign, messages };
  }
}
