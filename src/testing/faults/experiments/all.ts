import type { Experiment } from '../experiment.ts';
import { sendKilled } from './send-killed.ts';

export const experiments: readonly Experiment[] = [...sendKilled];
