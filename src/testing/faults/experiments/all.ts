import type { Experiment } from '../experiment.ts';
import { deploys } from './deploys.ts';
import { frozen } from './frozen.ts';
import { lostReplies } from './lost-replies.ts';
import { mysql } from './mysql.ts';
import { operator } from './operator.ts';
import { othersKilled } from './others-killed.ts';
import { redis } from './redis.ts';
import { sendKilled } from './send-killed.ts';
import { smtp } from './smtp.ts';

export const experiments: readonly Experiment[] = [
  ...sendKilled,
  ...othersKilled,
  ...lostReplies,
  ...frozen,
  ...smtp,
  ...redis,
  ...mysql,
  ...operator,
  ...deploys,
];
