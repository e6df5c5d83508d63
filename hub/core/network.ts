/** IP addresses and CIDR blocks as pure values: registered senders are recognised by where they connect from. */

export interface Network {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

function parseV4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** RFC 4291 §2.2: eight groups, one `::`, an IPv4 tail. A zone (`%eth0`) says nothing about who it is and is cut off. */
function parseV6(text: string): bigint | null {
  let source = text.replace(/%.*$/, '');
  const tail = /:(\d+\.\d+\.\d+\.\d+)$/.exec(source)?.[1];
  if (tail !== undefined) {
    const value = parseV4(tail);
    if (value === null) return null;
    source = `${source.slice(0, -tail.length)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  }
  const halves = source.split('::');
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = groups.reduce((count, half) => count + half.length, 0);
  if (halves.length === 1 ? given !== 8 : given > 7) return null;
  const all = [...(groups[0] ?? []), ...Array<string>(8 - given).fill('0'), ...(groups[1] ?? [])];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`), as dual-stack sockets report peers, is its IPv4 address. */
function parseAddress(text: string): Network | null {
  const v4 = parseV4(text);
  if (v4 !== null) return { family: 4, base: v4, prefix: 32 };
  const v6 = parseV6(text);
  if (v6 === null) return null;
  return v6 >> 32n === 0xffffn
    ? { family: 4, base: v6 & 0xffffffffn, prefix: 32 }
    : { family: 6, base: v6, prefix: 128 };
}

/** `10.1.0.0/16`, `::1`, `192.0.2.7`; null for anything else, host bits set included (`10.1.2.3/16` is a slip). */
export function parseNetwork(text: string): Network | null {
  const [address = '', prefixText, ...rest] = text.split('/');
  const parsed = parseAddress(address);
  if (parsed === null || rest.length > 0) return null;
  if (prefixText === undefined) return parsed;
  const bits = parsed.family === 4 ? 32 : 128;
  if (!/^(0|[1-9]\d{0,2})$/.test(prefixText) || Number(prefixText) > bits || (bits === 32 && address.includes(':')))
    return null;
  const prefix = Number(prefixText);
  const hostBits = (1n << BigInt(bits - prefix)) - 1n;
  return (parsed.base & hostBits) === 0n ? { ...parsed, prefix } : null;
}

/** True where the peer's address lies in one of the blocks. An unreadable address or block matches nothing. */
export function addressWithin(peer: string, networks: readonly string[]): boolean {
  const address = parseAddress(peer);
  if (address === null) return false;
  return networks.some((text) => {
    const network = parseNetwork(text);
    if (network?.family !== address.family) return false;
    const shift = BigInt((network.family === 4 ? 32 : 128) - network.prefix);
    return address.base >> shift === network.base >> shift;
  });
}
