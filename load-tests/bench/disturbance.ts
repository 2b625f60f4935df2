/**
 * Does a neighbour's expansion slow what is being sent? One tenant sends, at a rate that the machine can hold and as fast as it goes, alone and while
 * another's largest campaign is expanded. Of the expanded nothing but a trickle is sent, so that nothing but the expansion is in the way.
 */
import { type BenchContext, send } from './context.ts';
import type { Installation } from './installation.ts';
import { createLists } from './lists.ts';
import { createCampaign, waitFor, whenCancelled } from './pipeline-run.ts';

export interface Disturbance {
  readonly how: string;
  readonly perSecondAlone: number;
  readonly perSecondBeside: number;
  /** Recipients expanded next door while it was sent, and how fast. */
  readonly expanded: number;
  readonly expandedPerSecond: number;
}

const pacedPerMinute = 60_000;
/** One a minute: of a campaign that is expanded, and not sent. */
const trickle = 1;

export async function measureDisturbance(context: BenchContext): Promise<readonly Disturbance[]> {
  const neighbour = await context.installation.asAnotherTenant();
  const { listId } = await createLists(neighbour)(context.plan.expandedNextDoor);
  const found: Disturbance[] = [];
  for (const [how, maxPerMinute] of [
    [`at ${pacedPerMinute / 60} a second`, pacedPerMinute],
    ['as fast as it goes', undefined],
  ] as const) {
    const alone = await rateOf(context, maxPerMinute);
    const expansion = beginExpansion(neighbour, listId);
    const beside = await rateOf(context, maxPerMinute);
    const disturbance = { how, perSecondAlone: alone, perSecondBeside: beside, ...(await expansion.end()) };
    context.say(
      `${how}: ${Math.round(alone)}/s alone, ${Math.round(beside)}/s beside ${Math.round(disturbance.expandedPerSecond)} expanded/s`,
    );
    found.push(disturbance);
  }
  return found;
}

async function rateOf(context: BenchContext, maxPerMinute?: number): Promise<number> {
  const paced = maxPerMinute === undefined ? {} : { maxPerMinute };
  const { messages, seconds } = await send(context, { recipients: context.plan.sideRuns, ...paced });
  return messages / seconds;
}

/** Begins at once; `end` tells how far and how fast it came until then, and cancels it. */
function beginExpansion(installation: Installation, listId: string) {
  const { api } = installation;
  let isOver = false;
  async function expand() {
    const id = await createCampaign({ installation, listId, kilobytes: 10, maxPerMinute: trickle });
    await api.post(`/v1/campaigns/${id}/schedule`, { send_at: 'now' });
    const startedAt = performance.now();
    const { recipients } = await waitFor(
      () => api.get(`/v1/campaigns/${id}/progress`),
      ({ total_is_final }) => total_is_final || isOver,
    );
    const seconds = (performance.now() - startedAt) / 1000;
    await api.post(`/v1/campaigns/${id}/cancel`);
    await whenCancelled(api, id);
    return { expanded: recipients.total, expandedPerSecond: recipients.total / seconds };
  }
  const expansion = expand();
  return {
    end() {
      isOver = true;
      return expansion;
    },
  };
}
