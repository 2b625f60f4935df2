/**
 * The protections of the send path, each of which can be switched off in the model: a protection whose absence no schedule notices
 * protects nothing, or the simulation does not look. (Left out: what others stand behind, so that nothing breaks without it. The lead is
 * checked in S1, and so is the chunk's epoch; a takeover raises the epoch, and the next dispatch would.)
 */
export const protectionNames = [
  'epochChecked',
  'claimChecksOwner',
  'dispatchChecksEpoch',
  'intentChecksChunk',
  'intentChecksCampaign',
  'intentChecksSuppression',
  'intentBeforeSend',
  'intentRetractedOnFailure',
  'freshnessFromAsking',
  'freshness',
  'trustBeforeBody',
  'trustMargin',
  'outcomeChecksEpoch',
  'outcomeRepeated',
  'doubtAtTakeover',
  'doubtAtEnd',
  'forsakenCounted',
  'recountSets',
  'jobWorkedOnce',
  'poisonQuarantined',
  'poisonKeepsItsPlace',
] as const;
export type ProtectionName = (typeof protectionNames)[number];
export type Protections = Readonly<Record<ProtectionName, boolean>>;

export const allProtections = Object.fromEntries(protectionNames.map((name) => [name, true])) as Protections;

export function without(name: ProtectionName): Protections {
  return { ...allProtections, [name]: false };
}
