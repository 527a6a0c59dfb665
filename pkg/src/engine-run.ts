/**
 * A call of the engine: the options checked, its code loaded.
 *
 * @module
 */
import { wasm as ownWasm } from "#engine-wasm";
import { addressOf, refusedCredential } from "./address.js";
import type { Columns } from "./columns.js";
import type { AskCredentials, RemoteOptions, SyncOptions } from "./engine.js";
import { InvalidRequestError, typed } from "./errors.js";
import type { EngineFetch } from "./host.js";
import { loader, type WasmSource } from "./load.js";
import { proxied } from "./proxied.js";
import { isBrowser, ownFetch } from "./runtime.js";
import type { RemoteSettings } from "./wasm/engine/refsync.js";
import init, { initSync, refId, runSync } from "./wasm/engine/refsync.js";

const load = loader({ init, initSync }, ownWasm);

let memory: WebAssembly.Memory | undefined;

/** How much memory the engine has taken, in bytes; 0 before its first call. It never gives memory back. */
export function engineMemory(): number {
  return memory?.buffer.byteLength ?? 0;
}

/** Syncs, or only tells what a sync would do, and gives the stats in the columns in which they leave WebAssembly. */
export async function columnsOf(options: SyncOptions, { planOnly }: { planOnly: boolean }): Promise<Columns> {
  const source = remote("source", options.source);
  const destination = remote("destination", options.destination);
  const own = options.fetch ?? ownFetch;
  const fetch = options.proxy === undefined ? own : proxied(relay(options.proxy), own);
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

/** The id that a ref of a remote has, by its full name; undefined where there is no such ref. */
export async function refIdOf(
  { fetch, ...settings }: RemoteSettings & { fetch: EngineFetch },
  refName: string,
  wasm: WasmSource | undefined,
): Promise<string | undefined> {
  ({ memory } = await load(wasm));
  try {
    return await refId(settings, fetch, refName);
  } catch (error) {
    throw typed(error);
  }
}

/** The address of a relay, checked. */
function relay(proxy: string): string {
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return proxy;
  throw refused("proxy", "is not an http or https URL");
}

/** A side of a sync: what the engine reads, and what it calls. */
interface Side {
  settings: RemoteSettings;
  fetch: EngineFetch | undefined;
  credentials: AskCredentials | undefined;
}

/** The settings of a side, checked: a URL of another scheme would only fail later, in words of the runtime. */
function remote(side: string, given: string | RemoteOptions): Side {
  const { fetch, credentials, ...settings } = typeof given === "string" ? { url: given } : (given ?? {});
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
