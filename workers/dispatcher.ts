/** Rows become grants: lanes are served in turn, leases that are over are taken over, campaigns end. One leads, others stand by. */
import { runPart } from '../src/run-part.ts';
import { wireDispatcher } from '../src/wiring.ts';

runPart('dispatcher', wireDispatcher);
