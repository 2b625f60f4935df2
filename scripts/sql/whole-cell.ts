/**
 * Statements that see rows of more than one tenant, and why each may: all of them stay within one cell, and a tenant is in one cell only.
 * Whatever else isn't held to one tenant fails the check.
 */
export interface WholeCell {
  readonly reason: string;
  /** Folder or file, and the function or constant that it stands in. */
  readonly statements: readonly string[];
}

export const wholeCell: readonly WholeCell[] = [
  {
    reason:
      'Dispatch: a destination’s limit is shared by the tenants of the cell, so who is next is asked of all of them',
    statements: [
      'src/dispatch/demand-store.ts:readOutstanding',
      'src/dispatch/demand-store.ts:readDueGroups',
      'src/dispatch/demand-store.ts:readDueLanes',
      'src/dispatch/candidate-store.ts:readSome',
    ],
  },
  {
    reason:
      'Rows named by their whole keys, the tenant first; several in one statement save round trips, and could be one each',
    statements: [
      'src/dispatch/campaign-traces.ts:read',
      'src/dispatch/complete-campaigns.ts:findDoneAmong',
      'src/dispatch/dispatch-store.ts:lockCurrent',
      'src/dispatch/dispatch-store.ts:markDispatched',
      'src/dispatch/lane-store.ts:touchLanes',
      'src/dispatch/lane-store.ts:holdSome',
      'src/dispatch/lane-store.ts:rescheduleSome',
      'src/dispatch/lane-store.ts:readNextDue',
      'src/dispatch/park-store.ts:postponeSome',
      'src/ledger/claim.ts:renewLeases',
      'src/ledger/claim.ts:findLost',
      'src/sending-domains/sending-domain-store.ts:readKeyStamps',
      'src/tenants/key-usage.ts:writeUsed',
      'src/transport-settings/reply-rule-store.ts:readRuleStamps',
    ],
  },
  {
    reason:
      'Sweeps: what is due in the cell is found by state and time, then each find is worked on by its key, tenant first',
    statements: [
      'src/audience/import-lease.ts:findCandidates',
      'src/audience/import-sweep.ts:failAbandonedUploads',
      'src/audience/import-sweep.ts:findEnded',
      'src/audience/list-sweeper.ts:findDeletedLists',
      'src/campaigns/archive-week.ts:listArchivableParts',
      'src/campaigns/archive-week.ts:readCampaigns',
      'src/dispatch/complete-campaigns.ts:findDone',
      'src/dispatch/complete-campaigns.ts:findSettling',
      'src/dispatch/complete-campaigns.ts:findOverdue',
      'src/dispatch/fail-unexpanded.ts:findUnexpanded',
      'src/dispatch/dispatch-store.ts:returnDispatched',
      'src/dispatch/park-store.ts:unparkCampaigns',
      'src/http/idempotency-store.ts:sweepIdempotencyKeys',
      'src/ledger/retention.ts:readNeededParts',
      'src/ledger/settle-doubt.ts:findRipe',
      'src/ledger/takeover.ts:findExpired',
      'src/schedule/scheduler.ts:readExpanding',
      'src/schedule/start-due.ts:readDue',
      'src/senders/sweep-old-days.ts:sweepOldDays',
    ],
  },
  {
    reason:
      'Figures of the cell, for metrics, scaling and its operator; a tenant sees of others only how many wait where it waits',
    statements: [
      'src/dispatch/backlog-metrics.ts:readBacklogs',
      'src/dispatch/backlog-metrics.ts:readOldestDue',
      'src/pace-view/backlog-store.ts:destinationRange',
      'src/pace-view/campaign-facts-store.ts:countOtherLanes',
      'src/pace-view/destination-store.ts:listAll',
      'src/pace-view/lane-store.ts:readNextTurns',
      'src/pace-view/outstanding-store.ts:readAllOutstanding',
      'src/scaling/scaling-store.ts:readDueDestinations',
      'src/scaling/scaling-store.ts:readOutstandingWork',
      'src/scaling/scaling-store.ts:readChunks',
      'src/scaling/scaling-store.ts:readUpcoming',
      'src/tenants/tenant-store.ts:listTenants',
    ],
  },
  {
    reason:
      'Transports have one name space of ids, a tenant’s and the platform’s; its users are checked when they name it',
    statements: [
      'src/scaling/scaling-store.ts:readTransportRates',
      'src/transport-settings/destination-store.ts:readDestinations',
      'src/transport-settings/transport-store.ts:listPlatformTransports',
      'src/transport-settings/transport-store.ts:readAnyTransport',
      'src/transport-settings/transport-store.ts:readTransportVersions',
      'src/transport-settings/transport-store.ts:isInUse',
    ],
  },
  {
    reason: 'One tenant, said once for each of its lists',
    statements: ['src/schedule/audience-page.ts:readMemberIds'],
  },
  {
    reason: 'Who calls is not known before the key is found',
    statements: ['src/tenants/api-key-store.ts:findBearer'],
  },
];
