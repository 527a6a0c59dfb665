import assert from "node:assert/strict";
import { test } from "node:test";

import { AddressPolicy } from "../../../pkg/dist/node/http/address-policy.js";

// One or two addresses from each entry of the IANA special-purpose address registries.
/** @type {[address: string, why: string][]} */
const refused = [
  ["0.0.0.0", "unspecified"],
  ["0.1.2.3", "this network"],
  ["10.0.0.1", "private"],
  ["100.64.0.1", "carrier-grade NAT"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["169.254.169.254", "link-local, where clouds keep credentials"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.0.0.1", "protocol assignments"],
  ["192.168.1.1", "private"],
  ["198.18.0.1", "benchmarks"],
  ["224.0.0.1", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["::7f00:1", "IPv4-compatible loopback"],
  ["::8.8.8.8", "IPv4-compatible, whatever it holds"],
  ["::ffff:127.0.0.1", "IPv4-mapped loopback"],
  ["::ffff:a00:1", "IPv4-mapped private"],
  ["64:ff9b::7f00:1", "NAT64 of loopback"],
  ["64:ff9b::10.0.0.1", "NAT64 of private"],
  ["64:ff9b:1::1", "local-use NAT64"],
  ["2002:7f00:1::", "6to4 of loopback"],
  ["2001::1", "Teredo"],
  ["2001:db8::1", "documentation"],
  ["fc00::1", "unique local"],
  ["fd12:3456::1", "unique local"],
  ["fe80::1", "link-local"],
  ["fe80::1%eth0", "link-local with a zone"],
  ["fec0::1", "site-local"],
  ["ff02::1", "multicast"],
  ["not an address", "unreadable"],
];

for (const [address, why] of refused) {
  test(`refuses ${address} (${why})`, () => assert.equal(new AddressPolicy().allows(address), false));
}

for (const address of [
  "1.1.1.1",
  "172.32.0.1",
  "100.128.0.1",
  "2606:4700::1111",
  "::ffff:1.1.1.1",
  "64:ff9b::1.1.1.1",
]) {
  test(`allows the public ${address}`, () => assert.equal(new AddressPolicy().allows(address), true));
}

test("an allowed private network still refuses what is not a network of one's own", () => {
  const policy = new AddressPolicy({ allowPrivateNetwork: true });
  for (const address of ["127.0.0.1", "::1", "10.1.2.3", "fd00::1", "100.64.0.1", "::ffff:192.168.0.1", "1.1.1.1"]) {
    assert.equal(policy.allows(address), true, address);
  }
  for (const address of ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "::7f00:1"]) {
    assert.equal(policy.allows(address), false, address);
  }
});

test("an allow list opens its ranges and nothing beside them", () => {
  const policy = new AddressPolicy({ allow: ["10.1.0.0/16", "fd00:1::/32", "169.254.7.7/32"] });
  for (const address of ["10.1.255.255", "::ffff:10.1.0.1", "fd00:1::5", "169.254.7.7"]) {
    assert.equal(policy.allows(address), true, address);
  }
  for (const address of ["10.2.0.0", "127.0.0.1", "fd00:2::5", "169.254.7.8"])
    assert.equal(policy.allows(address), false, address);
});

test("a range that is none is named", () => {
  assert.throws(() => new AddressPolicy({ allow: ["10.0.0.0"] }), /allow list: 10\.0\.0\.0 is not a range/);
});
