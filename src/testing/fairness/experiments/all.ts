import type { Experiment } from '../experiment.ts';
import { deferrals } from './deferrals.ts';
import { destinations } from './destinations.ts';
import { limit } from './limit.ts';
import { neighbour } from './neighbour.ts';
import { rate } from './rate.ts';
import { transactional } from './transactional.ts';
import { zipf } from './zipf.ts';

export const experiments: readonly Experiment[] = [
  neighbour,
  zipf,
  destinations,
  limit,
  rate,
  deferrals,
  transactional,
];
