/** Everything in one process, the API included: for small installations and trials. */
import { composeLifecycle } from '../src/platform/lifecycle.ts';
import { runPart } from '../src/run-part.ts';
import { wireDispatcher, wireFeedback, wireRender, wireScheduler } from '../src/wiring.ts';
import { wireApi } from '../src/wiring-api.ts';
import { wireSend } from '../src/wiring-send.ts';

const wires = [wireScheduler, wireDispatcher, wireRender, wireSend, wireFeedback, wireApi];

runPart('all', (platform) => composeLifecycle(wires.map((wire) => wire(platform))));
