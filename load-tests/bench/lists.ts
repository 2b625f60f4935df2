/** Lists of so many made-up people, each imported once and used by every run. */
import { Readable } from 'node:stream';
import type { Installation } from './installation.ts';
import { waitFor } from './pipeline-run.ts';

export interface ImportedList {
  readonly listId: string;
  readonly recipients: number;
  readonly seconds: number;
}

export type Lists = (recipients: number) => Promise<ImportedList>;

export function createLists(installation: Installation): Lists {
  const known = new Map<number, Promise<ImportedList>>();
  return (recipients) => {
    const list = known.get(recipients) ?? importRecipients(installation, recipients);
    known.set(recipients, list);
    return list;
  };
}

async function importRecipients({ api }: Installation, recipients: number): Promise<ImportedList> {
  const started = performance.now();
  const list = await api.post('/v1/lists', { name: `Bench ${recipients}` });
  const path = `/v1/imports?format=csv&list_id=${list.id}`;
  const { id } = await api.upload(path, 'text/csv', Readable.from(csv(recipients)));
  const imported = await waitFor(
    () => api.get(`/v1/imports/${id}`),
    ({ state }) => state === 'done' || state === 'failed',
  );
  if (imported.accepted !== recipients)
    throw new Error(`imported ${imported.accepted} of ${recipients}: ${imported.failure}`);
  return { listId: list.id, recipients, seconds: (performance.now() - started) / 1000 };
}

function* csv(recipients: number): Generator<Buffer> {
  yield Buffer.from('email,first_name,city,tier\n');
  for (let at = 0; at < recipients; at += 1_000) {
    const rows: string[] = [];
    for (let n = at; n < Math.min(at + 1_000, recipients); n++) {
      rows.push(`p${n}@example.com,Name${n},Lyon,${n % 5 === 0 ? 'gold' : ''}\n`);
    }
    yield Buffer.from(rows.join(''));
  }
}
