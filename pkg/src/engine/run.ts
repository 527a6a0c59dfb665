/**
 * Calls of the engine: checks the options and loads the code.
 *
 * @module
 */
import { wasm as ownWasm } from "#engine-wasm";
import { InvalidRequestError, typed } from "../errors.js";
import type { EngineFetch } from "../host.js";
import { refuseUnknown } from "../options.js";
import { proxied } from "../proxy/proxied.js";
import { isBrowser, ownFetchWith } from "../runtime.js";
import type { RemoteSettings, SyncSettings } from "../wasm/engine/refsync.js";
import init, { initSync, listRefs, moveRefs, runSync } from "../wasm/engine/refsync.js";
import { loader, type WasmSource } from "../wasm/load.js";
import { addressOf, refusedCredential } from "./address.js";
import type { Columns } from "./columns.js";
import { refuseNoObject, refuseOtherKinds } from "./kinds.js";
import type { AskCredentials, RemoteOptions, SyncGlobs, SyncOptions } from "./options.js";

const load = loader({ init, initSync }, ownWasm);

let memory: WebAssembly.Memory | undefined;

/** How much memory the engine has taken, in bytes; 0 before its first call. It never gives memory back. */
export function engineMemory(): number {
  return memory?.buffer.byteLength ?? 0;
}

/** The settings of a sync that only the service has. */
export type ServicePolicy = Pick<SyncSettings, "hold" | "keep_deleted">;

/** Syncs, or only finds out what a sync would do. Returns the stats as columns. */
export async function columnsOf(
  options: SyncOptions,
  { planOnly, policy }: { planOnly: boolean; policy?: ServicePolicy },
): Promise<Columns> {
  refuseNoObject(options);
  refuseUnknown("sync", options, known);
  refuseUnknown("sync", options.ref_globs, knownGlobs, "ref_globs.");
  refuseUnknown("sync", options.minRate, knownRate, "minRate.");
  refuseOtherKinds(options);
  const source = remote("source", options.source);
  const destination = remote("destination", options.destination);
  const { proxy } = options;
  const own =
    options.fetch ??
    ownFetchWith((page) =>
      proxy === undefined
        ? "pass a relay as the option proxy, see `refsync proxy`"
        : `start \`refsync proxy\` with --allow-origin ${page}`,
    );
  const fetch = proxy === undefined ? own : proxied(relay(proxy), own);
  ({ memory } = await load(options.wasm));
  try {
    const settings = {
      source: source.settings,
      destination: destination.settings,
      ...(options.ref_globs && { ref_globs: options.ref_globs }),
      ...(options.force !== undefined && { force: options.force }),
      ...(options.prune !== undefined && { prune: options.prune }),
      ...(options.atomic !== undefined && { atomic: options.atomic }),
      ...(options.exclude && { exclude: options.exclude }),
      ...(options.pushOptions && { push_options: options.pushOptions }),
      ...(options.timeout !== undefined && { timeout: options.timeout }),
      ...(options.stallTimeout !== undefined && { stall_timeout: options.stallTimeout }),
      ...(options.collectLimit !== undefined && { collect_limit: options.collectLimit }),
      ...(options.minRate && { min_rate_bytes: options.minRate.bytes, min_rate_time: options.minRate.time }),
      ...(options.maxRefs !== undefined && { max_refs: options.maxRefs }),
      ...(options.maxCommits !== undefined && { max_commits: options.maxCommits }),
      ...(options.maxMemory !== undefined && { max_memory: options.maxMemory }),
      ...policy,
    };
    const streams = options.requestStreams ?? !isBrowser();
    const { onProgress, signal } = options;
    const from = { fetch: source.fetch ?? fetch, credentials: source.credentials };
    const to = { fetch: destination.fetch ?? fetch, credentials: destination.credentials };
    return await runSync(settings, from, to, streams, planOnly, onProgress, signal);
  } catch (error) {
    throw typed(error);
  }
}

/** A ref of a remote. */
export interface RemoteRef {
  /** The full name. */
  name: string;
  /** Its id. */
  id: string;
  /** Its target, if it is a symbolic ref and the remote says so. */
  symref_target: string | null;
}

/** Which refs to list: one by its full name, or all that start with a prefix. */
export type Listing = { name: string } | { prefix: string };

/** Refs of a remote. */
export async function remoteRefs(
  {
    fetch,
    credentials,
    ...settings
  }: RemoteSettings & { fetch: EngineFetch; credentials?: AskCredentials | undefined },
  listing: Listing,
  wasm: WasmSource | undefined,
): Promise<RemoteRef[]> {
  ({ memory } = await load(wasm));
  try {
    const [text, whole] = "name" in listing ? [listing.name, true] : [listing.prefix, false];
    return JSON.parse(await listRefs(settings, { fetch, credentials }, text, whole));
  } catch (error) {
    throw typed(error);
  }
}

/**
 * Moves refs of a remote to objects that it has, all or none. Each line is `old-id new-id name`; an id of zeros stands for no ref.
 * Returns the remote's reason if it refuses.
 */
export async function movedRefs(
  {
    fetch,
    credentials,
    ...settings
  }: RemoteSettings & { fetch: EngineFetch; credentials?: AskCredentials | undefined },
  lines: string,
  wasm: WasmSource | undefined,
): Promise<string | undefined> {
  ({ memory } = await load(wasm));
  try {
    return await moveRefs(settings, { fetch, credentials }, lines);
  } catch (error) {
    throw typed(error);
  }
}

const known = {
  source: true,
  destination: true,
  ref_globs: true,
  force: true,
  prune: true,
  atomic: true,
  exclude: true,
  pushOptions: true,
  timeout: true,
  signal: true,
  onProgress: true,
  fetch: true,
  proxy: true,
  stallTimeout: true,
  requestStreams: true,
  wasm: true,
  collectLimit: true,
  minRate: true,
  maxRefs: true,
  maxCommits: true,
  maxMemory: true,
} satisfies Record<keyof SyncOptions, true>;

const knownRate = { bytes: true, time: true } satisfies Record<keyof NonNullable<SyncOptions["minRate"]>, true>;

const knownGlobs = { branches: true, tags: true } satisfies Record<keyof SyncGlobs, true>;

const knownOfRemote = {
  url: true,
  username: true,
  password: true,
  fetch: true,
  credentials: true,
} satisfies Record<keyof RemoteOptions, true>;

/** The address of a relay, checked. */
function relay(proxy: string): string {
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return proxy;
  throw refused("proxy", "is not an http or https URL");
}

/** A side of a sync: its settings, and the functions that the engine calls. */
interface Side {
  settings: RemoteSettings;
  fetch: EngineFetch | undefined;
  credentials: AskCredentials | undefined;
}

/** Checks the settings of a side. A URL with another scheme would only fail later, with a message of the runtime. */
function remote(side: string, given: string | RemoteOptions): Side {
  const { fetch, credentials, ...settings } = typeof given === "string" ? { url: given } : (given ?? {});
  refuseUnknown("sync", given, knownOfRemote, `${side}.`);
  const address = addressOf(settings.url);
  if ("refusal" in address) throw refused(`${side}.url`, address.refusal);
  for (const field of ["username", "password"] as const) {
    const refusal = refusedCredential(settings[field]);
    if (refusal !== undefined) throw refused(`${side}.${field}`, refusal);
  }
  return { settings: { ...settings, url: address.url }, fetch, credentials };
}

function refused(field: string, message: string): InvalidRequestError {
  const fields = [{ field, message }];
  return new InvalidRequestError(`sync: ${field} ${message}`, { code: "INVALID_REQUEST", fields });
}
