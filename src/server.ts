/** The REST API as a process. */
import { runPart } from './run-part.ts';
import { wireApi } from './wiring-api.ts';

runPart('api', wireApi, { needsRedis: false });
