/** Large files from several tenants at once, while others use the API: what does an import cost those who don't import? */
import type { Options } from 'k6/options';
import { get, upload } from './installation/api.ts';
import { number } from './installation/settings.ts';
import { awaitImport, caller, createTenant, type LoadTenant } from './installation/tenants.ts';
import { importRowsPerSecond, importTime } from './measure/metrics.ts';
import { readThresholds, summaryTrendStats } from './measure/thresholds.ts';
import { csvOf } from './population/people.ts';

export { handleSummary } from './measure/summary.ts';

const tenants = number('LOAD_TENANTS', 4);
const rows = number('LOAD_MESSAGES', 20_000);
const minutes = number('LOAD_MINUTES', 1);

export const options: Options = {
  setupTimeout: '10m',
  scenarios: {
    importers: {
      executor: 'constant-vus',
      ...{ vus: tenants, duration: `${minutes}m`, gracefulStop: '2m', exec: 'importFile' },
    },
    readers: {
      executor: 'constant-arrival-rate',
      ...{
        rate: 10,
        timeUnit: '1s',
        duration: `${minutes}m`,
        preAllocatedVUs: 10,
        maxVUs: 50,
        exec: 'readLists',
      },
    },
  },
  thresholds: {
    ...readThresholds,
    'http_req_failed{kind:upload}': ['rate==0'],
    import_rows_per_second: ['med>1000'],
    import_time: ['max>0'],
  },
  summaryTrendStats,
};

interface Prepared {
  readonly tenants: readonly LoadTenant[];
  readonly csv: string;
}

export function setup(): Prepared {
  const made = Array.from({ length: tenants + 1 }, (_, i) => createTenant(i + 1, ''));
  return { tenants: made, csv: csvOf(rows) };
}

/** The first time creates, later ones update. */
export function importFile({ tenants: all, csv }: Prepared): void {
  const tenant = all[(__VU - 1) % tenants] as LoadTenant;
  const started = Date.now();
  const target = { route: '/v1/imports', query: `format=csv&list_id=${tenant.listId}` };
  const { id } = upload(caller(tenant, 'upload'), target, csv);
  const { accepted } = awaitImport(caller(tenant, 'judge'), id);
  if (accepted !== rows) throw new Error(`${accepted} of ${rows} rows were accepted`);
  const ms = Date.now() - started;
  importTime.add(ms);
  importRowsPerSecond.add((rows * 1_000) / ms);
}

/** The last tenant imports nothing. */
export function readLists({ tenants: all }: Prepared): void {
  const by = caller(all[tenants] as LoadTenant, 'read');
  get(by, { route: '/v1/lists' });
  get(by, { route: '/v1/profiles', query: 'page_size=50' });
}
