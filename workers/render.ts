/** Grants become messages. Any number may run. */
import { runPart } from '../src/run-part.ts';
import { wireRender } from '../src/wiring.ts';

runPart('render', wireRender);
