/** Loaded into every process of a fleet (`node --import`): should the fleet's own process die, it stops as by SIGTERM, and finishes what is on the wire. */
import { watchParent } from './watch-parent.ts';

watchParent(() => process.kill(process.pid, 'SIGTERM'));
