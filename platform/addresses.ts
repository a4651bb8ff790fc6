// Which network addresses may be called on somebody's behalf. Names are looked up here and the connection goes to the very address
// that was judged: a name that resolves differently a moment later (DNS rebinding) gains nothing.
import { lookup as lookupName } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { InklingError } from './errors.ts'

/** Everything that is not the open internet: loopback, private, link-local (cloud metadata), shared, documentation, multicast ... */
const closed = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  closed.addSubnet(network, bits, 'ipv4')
/** Of IPv6 only global unicast is open, less what wraps an IPv4 address (6to4, Teredo) or documents. */
const open = new BlockList()
open.addSubnet('2000::', 3, 'ipv6')
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  closed.addSubnet(network, bits, 'ipv6')

/** Whether an IP address belongs to the open internet. Anything that is no IP address does not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address.split('%')[0]!)
  if (family === 4) return !closed.check(address, 'ipv4')
  if (family === 6) return open.check(address, 'ipv6') && !closed.check(address, 'ipv6')
  return false
}

export type Lookup = (
  name: string,
  options: { readonly all: true },
  answer: (error: Error | null, addresses: readonly { readonly address: string; readonly family: number }[]) => void,
) => void

/** A `lookup` for node:http and node:net that refuses a name as soon as one of its addresses is not public. */
export function publicLookup(lookup: Lookup = lookupName): LookupFunction {
  return (name, options, answer) => {
    lookup(name, { all: true }, (error, addresses) => {
      if (error) return answer(error as NodeJS.ErrnoException, '')
      const refused = addresses.find(({ address }) => !isPublicAddress(address))
      if (refused || addresses.length === 0)
        return answer(addressRefused(name, refused?.address ?? 'nothing') as NodeJS.ErrnoException, '')
      if (options.all) return answer(null, [...addresses])
      answer(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}

/** Throws ADDRESS_REFUSED for anything but http(s) to a name or a public address; names are judged when they are looked up. */
export function requirePublicUrl(url: URL): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw addressRefused(url.href, `a ${url.protocol} address`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) && !isPublicAddress(host)) throw addressRefused(host, host)
}

function addressRefused(name: string, address: string): InklingError {
  return new InklingError(
    'ADDRESS_REFUSED',
    `${name} is ${address}, and addresses outside the open internet are not called.`,
    'Where a private address is meant, the configuration has to say that it is local.',
  )
}
