/**
 * Which hosts we may connect to, so that a tenant's transport can't reach our own network (server-side request forgery).
 *
 * The name is looked up once and the socket connects to the vetted addresses, never to the name: a second lookup could
 * answer differently (DNS rebinding). A name is refused when any of its addresses is: no public relay has a private one.
 */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

export type HostVerdict =
  | { readonly kind: 'allowed'; readonly addresses: readonly LookupAddress[] }
  | { readonly kind: 'forbidden'; readonly text: string }
  | { readonly kind: 'unknown'; readonly text: string };

export interface HostPolicy {
  /** Looks the name up and judges its addresses. Never throws. */
  vet(host: string): Promise<HostVerdict>;
}

export interface HostPolicyOptions {
  /** Allow loopback, private and other special-purpose addresses: for self-hosting and tests. */
  readonly allowPrivate: boolean;
  readonly lookupAll?: (host: string) => Promise<readonly LookupAddress[]>;
}

export function hostPolicy({ allowPrivate, lookupAll = lookUp }: HostPolicyOptions): HostPolicy {
  return {
    async vet(host) {
      const addresses = await addressesOf(host, lookupAll);
      if (typeof addresses === 'string') return { kind: 'unknown', text: addresses };
      const refused = addresses.find((address) => !mayConnect(address.address, allowPrivate));
      if (refused)
        return { kind: 'forbidden', text: `${host} is at ${refused.address}, which is not allowed` };
      return { kind: 'allowed', addresses };
    },
  };
}

/** Whether an address may be connected to. Anything that isn't an IP address may not. */
export function mayConnect(address: string, allowPrivate: boolean): boolean {
  const version = isIP(address);
  if (version === 0) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (neverAllowed.check(address, family)) return false;
  return allowPrivate || !specialPurpose.check(address, family);
}

async function addressesOf(
  host: string,
  lookupAll: NonNullable<HostPolicyOptions['lookupAll']>,
): Promise<readonly LookupAddress[] | string> {
  try {
    const found = await lookupAll(host);
    return found.length > 0 ? found : `${host} has no address`;
  } catch (error) {
    return `${host} can't be looked up (${(error as NodeJS.ErrnoException).code ?? 'error'})`;
  }
}

function lookUp(host: string): Promise<LookupAddress[]> {
  return lookup(host, { all: true });
}

/**
 * Refused whatever the setting: no mail server is there. Unspecified (Linux connects it to itself), broadcast, multicast,
 * and the addresses where clouds serve credentials (link-local; Alibaba, Oracle and AWS outside it).
 * BlockList also checks IPv4-mapped IPv6 addresses against the IPv4 rows.
 */
const neverAllowed = blockList([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/128',
  'fe80::/10',
  'fd00:ec2::/32',
  'ff00::/8',
]);

/** IANA's special-purpose registries (RFC 6890): private, loopback, documentation, and IPv6 ranges that embed an IPv4 address. */
const specialPurpose = blockList([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fec0::/10',
]);

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
