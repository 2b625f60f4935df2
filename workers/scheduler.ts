/** Plans become rows: due campaigns start and expand, imports run, old things are swept. */
import { runPart } from '../src/run-part.ts';
import { wireScheduler } from '../src/wiring.ts';

runPart('scheduler', wireScheduler);
