/** Bounces and complaints become suppressions and settled doubts. Takes mail on FEEDBACK_SMTP_PORT. */
import { runPart } from '../src/run-part.ts';
import { wireFeedback } from '../src/wiring.ts';

runPart('feedback', wireFeedback);
