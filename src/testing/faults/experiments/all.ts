import type { Experiment } from '../experiment.ts';
import { api } from './api.ts';
import { deploys } from './deploys.ts';
import { frozen } from './frozen.ts';
import { lostReplies } from './lost-replies.ts';
import { mysql } from './mysql.ts';
import { operator } from './operator.ts';
import { othersKilled } from './others-killed.ts';
import { poison } from './poison.ts';
import { redis } from './redis.ts';
import { releases } from './releases.ts';
import { sendKilled } from './send-killed.ts';
import { smtp } from './smtp.ts';
import { smtpOpening } from './smtp-opening.ts';
import { transportEdits } from './transport-edits.ts';

export const experiments: readonly Experiment[] = [
  ...sendKilled,
  ...othersKilled,
  ...lostReplies,
  ...frozen,
  ...smtp,
  ...smtpOpening,
  ...redis,
  ...mysql,
  ...operator,
  ...transportEdits,
  ...api,
  ...poison,
  ...deploys,
  ...releases,
];
