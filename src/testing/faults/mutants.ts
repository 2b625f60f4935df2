/** Each protection of the guarantee, and the experiment that shows what happens without it. */
import type { Mutant } from './mutant.ts';

const ledger = 'src/ledger';

const oldSendersStay = {
  file: 'src/send/sender-pool.js',
  find: 'versions.get(entry.transportId) !== entry.version',
  replace: 'false',
};

export const mutants: readonly Mutant[] = [
  {
    protection: 'what a lost worker attempted becomes in_doubt, not pending',
    experiment: 'send killed after the dot, accepted',
    isQuick: true,
    edits: [
      {
        file: `${ledger}/takeover.js`,
        find: `SET state = \${deliveryStates.in_doubt}`,
        replace: `SET state = \${deliveryStates.pending}`,
      },
    ],
  },
  {
    protection: 'an intent is committed before the first byte leaves',
    experiment: 'send killed before its intent is committed',
    isQuick: true,
    edits: [
      {
        file: 'src/send/intake.js',
        find: 'await this.#intend(run, messages)',
        replace: `(void this.#intend(run, messages).catch(() => undefined),
          { granted: messages.map((message) => message.seq), suppressed: [] })`,
      },
    ],
  },
  {
    protection: 'trust in the lease is asked for again after the 354',
    experiment: 'send frozen before the 354',
    edits: [
      { file: 'src/send/grant-run.js', find: 'return now < this.#trustedUntil;', replace: 'return true;' },
    ],
  },
  {
    protection: 'an outcome is only taken at the epoch of its attempt',
    experiment: "a sleeper's late outcome meets its successor's attempt",
    edits: [
      {
        file: `${ledger}/outcome.js`,
        find: `\${deliveryStates.in_doubt}) AND epoch = ?`,
        replace: `\${deliveryStates.in_doubt}) AND (epoch = ? OR 1 = 1)`,
      },
    ],
  },
  {
    protection: 'an answer that was lost leaves the message in doubt',
    experiment: 'SMTP: reset after the dot, accepted',
    isQuick: true,
    edits: [
      {
        file: 'src/send/result-policy.js',
        find: "return { seq, state: 'in_doubt',",
        replace: "return { seq, state: 'pending',",
      },
    ],
  },
  {
    protection: 'outcomes are kept until they are written',
    experiment: 'MySQL killed and restarted',
    edits: [{ file: 'src/send/result-writer.js', find: 'await sleep(retryMs);', replace: 'break;' }],
  },
  {
    protection: 'a process works on a grant once, and intents go to unsent rows only (either is enough)',
    experiment: 'jobs put on the belt again and again',
    edits: [
      { file: 'src/send/send-stage.js', find: 'if (active.has(name))', replace: 'if (false)' },
      {
        file: `${ledger}/intent.js`,
        find: `\`d.state IN (\${deliveryStates.pending}, \${deliveryStates.deferred})\``,
        replace: `'d.state IN (0, 1, 2, 4, 5)'`,
      },
    ],
  },
  {
    protection: 'a leased chunk can only be claimed by its owner',
    experiment: 'jobs put on the belt again and again',
    edits: [
      {
        file: `${ledger}/claim.js`,
        find: `OR (state = \${chunkStates.leased} AND owner = ?))`,
        replace: `OR (state = \${chunkStates.leased} AND (owner = ? OR 1 = 1)))`,
      },
    ],
  },
  {
    protection:
      "an intent checks the chunk's epoch and owner, and the row's state (and the worker neither trusts nor learns what its lease says)",
    experiment: 'send frozen with messages waiting',
    edits: [
      {
        file: `${ledger}/intent.js`,
        find: `\`c.state = \${chunkStates.leased} AND c.epoch = ? AND c.owner = ?\``,
        replace: '`(c.epoch = ? OR c.owner = ? OR 1 = 1)`',
      },
      {
        file: `${ledger}/intent.js`,
        find: `\`d.state IN (\${deliveryStates.pending}, \${deliveryStates.deferred})\``,
        replace: "'d.state IN (0, 1, 2, 4, 5)'",
      },
      { file: 'src/send/grant-run.js', find: 'return now < this.#trustedUntil;', replace: 'return true;' },
      {
        file: 'src/send/grant-run.js',
        find: 'this.#trustedUntil = 0;\n        this.stop();',
        replace: '',
      },
    ],
  },
  {
    protection: "a grant compares the chunk's state and epoch (and nobody checks who leads)",
    experiment: 'two of everything',
    maySurvive: 'two passes must collide for it, and of two grants of a chunk only the later can be claimed',
    edits: [
      {
        file: 'src/dispatch/dispatch-store.js',
        find: `WHERE state = \${chunkStates.pending} AND (\${byKey(grants)}) FOR UPDATE`,
        replace: `WHERE (\${byKey(grants)}) FOR UPDATE`,
      },
      {
        file: 'src/dispatch/dispatch-store.js',
        find: 'current.delete(nameOf(tenantId, campaignId, chunkNo, epoch))',
        replace: 'true',
      },
      {
        file: 'src/platform/leadership.js',
        find: 'return isLeader;',
        replace: 'leadsUntil = Infinity; return true;',
      },
      { file: 'src/platform/leadership.js', find: 'if (row)\n                return;', replace: 'return;' },
    ],
  },
  {
    protection: 'a new generation of Redis sends dispatched chunks back',
    experiment: 'FLUSHALL while jobs wait',
    isQuick: true,
    edits: [
      {
        file: 'src/queues/generation.js',
        find: 'return isFirstLook ? found === null : !isSame;',
        replace: 'return false;',
      },
    ],
  },
  {
    protection: 'an intent checks that its campaign is not paused',
    experiment: 'pause and resume in flight',
    edits: [
      {
        file: `${ledger}/intent.js`,
        find: "campaignRuns('m')",
        replace: "campaignRuns('m').replace('AND m.paused_at IS NULL AND', 'AND')",
      },
    ],
  },
  {
    protection: 'an intent checks suppressions',
    experiment: 'suppression in flight',
    edits: [{ file: `${ledger}/intent.js`, find: ' AND s.tenant_id IS NULL', replace: '' }],
  },
  {
    protection: 'a takeover moves the counters with the rows',
    experiment: 'send killed after 250',
    edits: [
      {
        file: `${ledger}/takeover.js`,
        find: 'await moveCounters(tx, key, chunk.counts, counts);',
        replace: '',
      },
    ],
  },
  {
    protection: 'an expansion page is one transaction',
    experiment: 'scheduler killed in the middle of an expansion page',
    edits: [
      {
        file: 'src/schedule/expand-page.js',
        find: 'await db.transaction(async (tx) => {',
        replace: 'await (async (work) => work(db))(async (tx) => {',
      },
    ],
  },
  {
    protection: 'a transport that was changed gets a new sender',
    experiment: 'secret rotated in flight',
    edits: [oldSendersStay],
  },
  {
    protection:
      'limits that were changed are read again, by send workers and by the leader (either is enough)',
    experiment: 'limits lowered in flight',
    edits: [
      oldSendersStay,
      {
        file: 'src/transport-settings/known-destinations.js',
        find: 'versions.get(transportId) !== version',
        replace: 'false',
      },
    ],
  },
  {
    protection: 'a message that was fatal even alone is skipped',
    experiment: 'a recipient that kills renderers',
    edits: [
      {
        file: `${ledger}/poison.js`,
        find: 'return crashes >= leastCrashes && size >> halvings(crashes) === 0;',
        replace: 'return false;',
      },
    ],
  },
  {
    protection: 'an intent checks suppressions, which an erasure leaves',
    experiment: 'profiles erased in flight',
    edits: [{ file: `${ledger}/intent.js`, find: ' AND s.tenant_id IS NULL', replace: '' }],
  },
  {
    protection: 'what Redis has lost comes back when its lease is over, although the generation key is there',
    experiment: 'Redis fails over to an older snapshot',
    edits: [
      {
        file: `${ledger}/takeover.js`,
        find: `SELECT tenant_id, campaign_id, chunk_no, part FROM chunks
     WHERE state IN (\${chunkStates.dispatched}, \${chunkStates.leased})`,
        replace: `SELECT tenant_id, campaign_id, chunk_no, part FROM chunks
     WHERE state IN (\${chunkStates.leased})`,
      },
    ],
  },
  {
    protection: 'a job of a version that is not known is left alone',
    experiment: "a newer dispatcher's jobs before older workers",
    edits: [{ file: 'src/queues/jobs.js', find: 'z.literal(version)', replace: 'z.number()' }],
  },
  {
    protection: 'messages of a version that is not known are rendered anew',
    experiment: "a newer renderer's messages before an older sender",
    edits: [
      {
        file: 'src/render/payload.js',
        find: 'value[3] !== payloadVersion',
        replace: 'false && value[3] !== payloadVersion',
      },
    ],
  },
  {
    protection: "a message's segments are kept by their version",
    experiment: 'a release rolled back under load',
    edits: [
      { file: 'src/queues/segment-copies.js', find: `:segments:\${payloadVersion}:`, replace: ':segments:' },
    ],
  },
  {
    protection: 'a key of a request that is sent again is claimed before its work',
    experiment: 'submitted four times at once',
    isQuick: true,
    edits: [{ file: 'src/http/idempotency.js', find: "found.kind === 'claimed'", replace: 'found' }],
  },
];
