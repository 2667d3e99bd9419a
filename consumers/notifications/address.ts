import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Addresses that are not on the public internet, by the IANA registries of special-purpose addresses: a registered URL
 * must not make us talk to our own network.
 */
const special = new BlockList();
const v4: readonly (readonly [string, number])[] = [
  ...([['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8]] as const), // prettier-ignore
  ...([['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24]] as const), // prettier-ignore
  ...([['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24]] as const), // prettier-ignore
  ...([['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4]] as const), // prettier-ignore
];
for (const [net, prefix] of v4) special.addSubnet(net, prefix, 'ipv4');
/** Of IPv6 only 2000::/3 is given out; inside it these are for documentation, tunnels and translation. */
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  // prettier-ignore
  special.addSubnet(net, prefix, 'ipv6');

/** Whether an IP address in text is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !special.check(address, 'ipv4');
  return isIP(address) === 6 && global.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** What stands in a URL where a name could: its address, or null for a name. */
export function literalAddress({ hostname }: URL): string | null {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? null : bare;
}

/** The name leads, or the URL itself, to an address that is not public. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  constructor() {
    super('the address is not a public one');
  }
}

/**
 * Looks names up for a connection and refuses those with an address that is not public. It is asked at every
 * connection and its answer is the one connected to: a name that leads elsewhere since it was checked helps nobody.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const refused =
      error ?? (found.every(({ address }) => isPublicAddress(address)) ? null : new AddressRefused());
    const [first] = found ?? [];
    if (refused || first === undefined) callback(refused ?? new Error(`no address for ${hostname}`), '', 0);
    else if (options.all) callback(null, found);
    else callback(null, first.address, first.family);
  });
};
