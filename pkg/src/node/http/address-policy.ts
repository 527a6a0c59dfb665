/**
 * The network addresses that may be reached for a user.
 *
 * @module
 */

import ipaddr from "ipaddr.js";

/** The addresses that an operator allows besides public ones. */
export interface AddressPolicyOptions {
  /** Loopback, private (RFC 1918), unique local and carrier-grade NAT addresses. Link-local ones stay refused. Default: false. */
  allowPrivateNetwork?: boolean;
  /** Ranges in CIDR notation that are allowed in any case, such as `10.1.0.0/16` or `fd00:1::/32`. Default: none. */
  allow?: string[];
}

/** A request was refused because of its host's address. Its `code` is `ADDRESS_NOT_ALLOWED`. */
export class AddressNotAllowedError extends Error {
  /** A stable word for a program to act on. */
  readonly code = "ADDRESS_NOT_ALLOWED";

  /** `host` is the host of the URL, `address` the address that its name resolved to. */
  constructor(host: string, address: string) {
    const named = host === address ? host : `${host} has the address ${address}, which`;
    super(
      `connect to ${host}: ${named} is not a public address; the operator can allow it ` +
        "(--allow-private-network, or a range in the allow list)",
    );
    this.name = "AddressNotAllowedError";
  }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Decides which addresses may be connected to. */
export class AddressPolicy {
  readonly #ranges: [Address, number][];
  readonly #allowPrivateNetwork: boolean;

  /** Throws if an allowed range is not in CIDR notation. */
  constructor({ allow = [], allowPrivateNetwork = false }: AddressPolicyOptions = {}) {
    this.#ranges = allow.map((range) => {
      try {
        return ipaddr.parseCIDR(range);
      } catch {
        throw new TypeError(`allow list: ${range} is not a range such as 10.1.0.0/16`);
      }
    });
    this.#allowPrivateNetwork = allowPrivateNetwork;
  }

  /** The error message for an address that is not allowed. */
  refusal(host: string, address: string): AddressNotAllowedError {
    return new AddressNotAllowedError(host, address);
  }

  /** Whether this IP address may be connected to. False if it cannot be parsed. */
  allows(address: string): boolean {
    const plain = withoutDottedQuad(address);
    if (!ipaddr.isValid(plain)) return false;
    const parsed = embeddedIpv4(ipaddr.parse(plain));
    const listed = this.#ranges.some(([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits));
    if (listed) return true;
    const range = parsed.range();
    return isIpv4Compatible(parsed)
      ? false
      : range === "unicast" || (this.#allowPrivateNetwork && privateRanges.has(range));
  }
}

/** Writes `::1.2.3.4` as `::102:304`, because ipaddr.js treats the dotted form as a mapped address, which it need not be. */
function withoutDottedQuad(address: string): string {
  const quad = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (!quad) return address;
  const [a = 0, b = 0, c = 0, d = 0] = quad.slice(2).map(Number);
  return `${quad[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** The IPv4 address inside a mapped (`::ffff:0:0/96`) or NAT64 (`64:ff9b::/96`) address; otherwise the address itself. */
function embeddedIpv4(address: Address): Address {
  if (!(address instanceof ipaddr.IPv6)) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (address.range() !== "rfc6052") return address;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

/** Whether this is the deprecated form `::a.b.c.d`, which a host may still route to the IPv4 address. Not for `::` and `::1`. */
function isIpv4Compatible(address: Address): boolean {
  if (!(address instanceof ipaddr.IPv6) || address.range() === "loopback") return false;
  return address
    .toByteArray()
    .slice(0, 12)
    .every((byte) => byte === 0);
}

const privateRanges = new Set<string>(["loopback", "private", "uniqueLocal", "carrierGradeNat"]);
