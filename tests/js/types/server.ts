// A script of a user who runs the engine and the service: every exported type of `refsync/engine`, `refsync/service` and
// `refsync/node`, as an annotation. So the compiler reports a type that is missing or has changed.
import {
  AbortError,
  type AskCredentials,
  type Credentials,
  type EngineFetch,
  type ErrorInit,
  type Fetch,
  type FetchAnswer,
  InvalidRequestError,
  type MessageSide,
  type Outcome,
  type Phase,
  type Progress,
  plan,
  type Reason,
  type RefGlobs,
  RefsyncError,
  type RemoteOptions,
  type RemoteSettings,
  SyncError,
  type SyncGlobs,
  type SyncOptions,
  type SyncRunMessage,
  type SyncRunRef,
  type SyncRunStats,
  sync,
  type WasmSource,
} from "refsync/engine";
import {
  AddressNotAllowedError,
  type AddressPolicyOptions,
  type AttachOptions,
  type DataFolder,
  type DataFolderOptions,
  type EmbeddedOptions,
  type EngineThreads,
  type EngineThreadsOptions,
  engineThreads,
  type GitHttpBackendOptions,
  type GuardedFetch,
  type GuardedFetchOptions,
  gitHttpBackend,
  guardedFetch,
  type Listener,
  type LogOptions,
  lineLog,
  type NotifyingDatabase,
  openDataFolder,
  openEmbedded,
  openPostgres,
  type PostgresOptions,
  type ServeOptions,
  serve,
  type Waiting,
  type Worker,
  type WorkOptions,
  work,
} from "refsync/node";
import { type GitProxyOptions, gitProxy } from "refsync/proxy";
import {
  type Database,
  type GitHost,
  type LogRecord,
  type RepairedRepository,
  type Scope,
  Service,
  type ServiceEngine,
  type ServiceOptions,
} from "refsync/service";

export async function mirror(token: string): Promise<string[]> {
  const policy: AddressPolicyOptions = { allowPrivateNetwork: true };
  const options: GuardedFetchOptions = { ...policy };
  const guarded: GuardedFetch = guardedFetch(options);
  const fetch: Fetch = guarded;
  const settings: RemoteSettings = { url: "https://git.example.com/mirror.git", password: token };
  const destination: RemoteOptions = { ...settings, fetch };
  const one: Partial<RefGlobs> = { branches: "release/*" };
  const ref_globs: SyncGlobs = { ...one, tags: ["v1", "v2"] };
  const phases: Phase[] = [];
  const onProgress = ({ phase, bytes, objects }: Progress): void => {
    phases.push(phase);
    console.log(bytes.toFixed(), (objects ?? 0).toFixed());
  };
  const wasm: WasmSource = new URL("https://example.com/engine.wasm");
  const request: SyncOptions = {
    wasm,
    source: "https://git.example.com/a.git",
    destination,
    ref_globs,
    onProgress,
    fetch,
  };
  try {
    const planned: SyncRunStats = await plan(request);
    if (planned.refs.every((ref) => ref.outcome === "unchanged")) return [];
    const stats = await sync(request);
    const heard = (side: MessageSide): SyncRunMessage[] => (stats.messages ?? []).filter((said) => said.side === side);
    if (heard("destination").length > 0) console.log(heard("destination").map(({ text }) => text));
    return stats.refs.map((ref: SyncRunRef) => {
      const outcome: Outcome = ref.outcome;
      const reason: Reason | null = ref.reason;
      return `${ref.name} ${ref.before ?? "new"} ${ref.after} ${outcome} ${reason ?? ""} ${ref.message ?? ""}`;
    });
  } catch (error) {
    if (error instanceof SyncError && error.retryable) return [`later: ${error.code}`];
    if (error instanceof InvalidRequestError) return error.fields.map((field) => field.message);
    if (error instanceof AbortError || error instanceof AddressNotAllowedError) return [];
    const init: ErrorInit = { code: "wrapped", cause: error };
    throw new RefsyncError("mirror", init);
  } finally {
    guarded.close();
  }
}

const keys: Credentials = { username: "git", password: "token" };
const ask: AskCredentials = (url, { scheme }) => (scheme === "basic" && url.startsWith("https:") ? keys : undefined);
const bare: EngineFetch = async (url): Promise<FetchAnswer> => {
  const headers = new Map([["content-type", "text/plain"]]);
  return { status: 404, url, headers, body: null };
};
export const asked: RemoteOptions = { url: "https://git.example.com/a.git", credentials: ask, fetch: bare };

/** PostgreSQL, if there is one, and a worker that it wakes. */
export async function open(url: string | undefined, wake: (what?: Waiting) => void): Promise<NotifyingDatabase> {
  const pool: PostgresOptions = { connections: 4, onError: console.error };
  const embedded: EmbeddedOptions = { isSparing: true };
  const database = url === undefined ? await openEmbedded("./data/database", embedded) : await openPostgres(url, pool);
  await database.listen(wake);
  return database;
}

export function logged(records: LogRecord[]): void {
  const lines: LogOptions = { format: "json" };
  for (const record of records) if (record.event !== "request" || record.status >= 500) lineLog(lines)(record);
}

export function relay(request: Request): Promise<Response> {
  const options: GitProxyOptions = { hosts: ["github.com"], origins: ["*"], maxConcurrent: 4, maxBytes: 1e9 };
  return gitProxy(options)(request);
}

export async function host(database: Database): Promise<() => Promise<void>> {
  const shared: DataFolderOptions = { shared: true };
  const folder: DataFolder = await openDataFolder("./data", shared);
  const attached: AttachOptions = { migrate: async () => {}, acceptLostRepositories: false };
  const backend: GitHttpBackendOptions = { root: folder.repositories };
  const git: GitHost = gitHttpBackend(backend);
  await folder.attach(database, attached);
  const repaired: RepairedRepository | null | undefined = await git.repair?.("repo_1", "main");
  const isThere: boolean | undefined = await git.hasCommit?.("repo_1", "0".repeat(40), "refs/heads/main");
  if (isThere) console.log("it is there");
  if (repaired) console.error(repaired.reason, repaired.lost.join(", "), repaired.kept);
  const threads: EngineThreadsOptions = { repositories: folder.repositories, threads: 2, maxMemory: 128 };
  const engine: EngineThreads = engineThreads(threads);
  const carrier: ServiceEngine = engine;
  const { secretKey } = folder;
  const options: ServiceOptions = { database, git, engine: carrier, fetch: guardedFetch(), secretKey };
  const service = new Service(options);
  const scope: Scope = "admin";
  await service.createApiKey("acme", scope);
  const end = new AbortController();
  const pace: WorkOptions = { concurrency: 2, signal: end.signal };
  const worker: Worker = work(service, pace);
  const where: ServeOptions = { service, port: 0 };
  const listener: Listener = await serve(where);
  return async () => {
    await listener.close();
    end.abort();
    await worker.stopped;
    await engine.close();
    await folder.release();
  };
}
