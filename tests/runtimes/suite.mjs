// The same small suite for every runtime: plain JavaScript with web APIs and the package. It throws if a result is wrong,
// and returns its observations.

import { NotFoundError, SyncClient } from "refsync";

/**
 * The arguments of a suite. `wasm` is left out if the package finds its own code.
 *
 * @typedef {{ apiUrl: string, apiKey: string, name: string, source: string, destination: string, wasm?: string }} Asked
 * @typedef {Awaited<ReturnType<typeof clientSuite>>} ClientSeen
 * @typedef {Awaited<ReturnType<typeof engineSuite>>} EngineSeen
 */

/**
 * Tests the client: makes a repository, plans a sync and syncs it with `source`, lists it, and checks the class of an
 * error.
 *
 * @param {Asked} asked
 */
export async function clientSuite({ apiUrl, apiKey, source, name, wasm }) {
  const client = new SyncClient({ apiUrl, apiKey, ...(wasm && { wasm }) });
  const before = performance.now();
  const { org } = await client.whoami();
  const ready = performance.now() - before;
  /** @type {import("refsync").UpstreamRequest} */
  const upstream = { url: source, auth: { kind: "token", token: apiKey } };
  const repo = await client.repos.create({ name, upstream });
  const planned = await client.repos.planUpstreamSync({ repo: repo.name, direction: "pull" });
  const queued = await client.repos.syncUpstream({ repo: repo.name, direction: "pull" });
  const statuses = [];
  for await (const { status } of client.syncs.watch(queued)) statuses.push(status);
  const run = await client.syncs.wait(await client.syncs.get({ repo: name, sync_id: queued.id }), { timeout: 30_000 });
  const names = [];
  for await (const { name } of client.repos.list({ limit: 1 })) names.push(name);
  let refused;
  try {
    await client.repos.get({ repo: "there-is-none" });
  } catch (error) {
    refused = error;
  }
  if (!(refused instanceof NotFoundError) || refused.status !== 404) throw new Error(`not a NotFoundError: ${refused}`);
  return {
    org: org.slug,
    planned: planned.refs.map(({ name, outcome }) => `${name} ${outcome}`),
    statuses,
    refs: run.stats?.refs.map(({ name, outcome }) => `${name} ${outcome}`) ?? run.error,
    listed: names.includes(name),
    ready,
  };
}

/**
 * Tests the engine: syncs from one hosted repository to another, twice. Returns the results of each ref for both syncs.
 *
 * @param {Asked} asked
 */
export async function engineSuite({ apiKey, source, destination, wasm }) {
  const { sync } = await import("refsync/engine");
  const options = {
    source: { url: source, password: apiKey },
    destination: { url: destination, password: apiKey },
    ...(wasm && { wasm }),
  };
  const outcomes = async () => (await sync(options)).refs.map(({ name, outcome }) => `${name} ${outcome}`);
  return { first: await outcomes(), second: await outcomes() };
}
