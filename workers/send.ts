/** Messages become outcomes: claims, paces, hands over, records. Any number may run. */
import { runPart } from '../src/run-part.ts';
import { wireSend } from '../src/wiring-send.ts';

runPart('send', wireSend);
