/** Operators and Redis: what happens from outside at any moment. */
import type { Campaign } from './tables.ts';
import type { Task } from './virtual-time.ts';
import type { World } from './world.ts';

const resumeEveryMs = 20_000;

export function act(world: World): void {
  if (world.faults.isSpent) return;
  if (world.faults.take('flush')) {
    world.tell?.('the belt is emptied');
    world.belt.flush();
  }
  const fault = world.faults.take('operator');
  if (!fault) return;
  const { campaigns, chunks } = world.tables;
  world.tell?.(`operator: ${fault.action} ${fault.which}`);
  const campaign = campaigns[fault.which % campaigns.length]!;
  if (fault.action === 'suppress') suppress(world, chunks[fault.which % chunks.length]!.rows[0]!);
  else if (campaign.state === 'sending') actions[fault.action](campaign, world.time.now);
}

type CampaignAction = (campaign: Campaign, now: number) => void;

const actions: Readonly<Record<'pause' | 'resume' | 'cancel', CampaignAction>> = {
  pause(campaign, now) {
    campaign.pausedAt ??= now;
    campaign.stoppedAt = campaign.pausedAt;
  },
  resume(campaign) {
    campaign.pausedAt = null;
    campaign.stoppedAt = Number.POSITIVE_INFINITY;
  },
  cancel(campaign, now) {
    campaign.state = 'cancelled';
    campaign.isSettling = true;
    campaign.stoppedAt = campaign.pausedAt ?? now;
    campaign.pausedAt = null;
  },
};

function suppress({ time }: World, row: { suppressedAt: number }): void {
  row.suppressedAt = Math.min(row.suppressedAt, time.now);
}

/** Again and again somebody resumes what is paused: else it would wait for ever, rightly. */
export function* resumeAgain({ tables, time }: World): Task {
  for (;;) {
    yield resumeEveryMs;
    for (const campaign of tables.campaigns)
      if (campaign.pausedAt !== null) actions.resume(campaign, time.now);
  }
}
