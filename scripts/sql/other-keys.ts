/** Keys that the tenant doesn't lead, by table and name, and why. Every other key of every table begins with tenant_id. */
export const otherKeys: Readonly<Record<string, string>> = {
  'installation PRIMARY': 'the cell’s own facts',
  'leases PRIMARY': 'the cell’s leaders and processes',
  'tenants PRIMARY': 'its id is the tenant',
  'api_keys PRIMARY': 'written once; `by_tenant` is how its tenant reads it',
  'api_keys by_hash': 'a caller is known by its key alone',
  'idempotency_keys by_age': 'the sweep of what is over',
  'profiles by_id': 'AUTO_INCREMENT needs an index that begins with its column; nothing reads it',
  'imports by_state': 'imports to run and to sweep, of all tenants',
  'transports PRIMARY':
    'one name space of ids, since the platform’s have no tenant; `by_tenant` lists a tenant’s',
  'destinations PRIMARY': 'a transport’s, which the platform’s tenants share',
  'destinations by_name': 'the same',
  'destination_days PRIMARY': 'quotas are a destination’s, whoever sends',
  'campaigns by_state': 'campaigns that are due or running, of all tenants',
  'campaigns by_settling': 'campaigns to settle, of all tenants',
  'chunks by_lease': 'what is outstanding in the cell, and which leases are over',
  'lanes by_destination': 'who waits at a destination: fairness is between tenants',
};
