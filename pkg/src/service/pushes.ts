/**
 * Finds out which refs a push into a hosted repository has moved, from the bytes that pass: the commands of the request, and the report
 * of the answer (gitprotocol-pack, "Reference Update Request and Packfile Transfer").
 *
 * @module
 */
import type { GitHost } from "../host.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** A ref that a push has moved. */
interface Update {
  ref: string;
  /** Null if the push has created it. */
  before: string | null;
  /** Null if the push has deleted it. */
  after: string | null;
}

/**
 * Passes a push to the host. `onPushed` is called with the moved refs before the answer ends, and the end waits for it. It gets the JSON
 * text of an array of {@link Update}, or `null` if the refs are not known, for example because the client has hung up.
 */
export async function watchedPush(
  git: Pick<GitHost, "fetch">,
  request: Request,
  onPushed: (updates: string) => Promise<unknown>,
): Promise<Response> {
  const commands = new Lines();
  const report = new Lines();
  const isPlain = (request.headers.get("content-encoding") ?? "identity") === "identity";
  const body = isPlain ? request.body?.pipeThrough(tap((bytes) => commands.add(bytes))) : request.body;
  const { headers, method, signal } = request;
  const init = { method, headers, signal, ...(body && { body, duplex: "half" }) };
  const answer = await git.fetch(new Request(request.url, init));
  let ending: Promise<unknown> | undefined;
  const end = () => {
    ending ??= onPushed(JSON.stringify(answer.ok ? moved(commands, report) : []));
    return ending;
  };
  const reader = (answer.body as ReadableStream<Bytes> | null)?.getReader();
  const passed = new ReadableStream<Bytes>({
    async pull(controller) {
      const next = await reader?.read().catch(async (error: unknown) => {
        await end();
        throw error;
      });
      if (next?.value !== undefined) {
        report.add(next.value);
        return controller.enqueue(next.value);
      }
      await end();
      controller.close();
    },
    async cancel(reason) {
      await reader?.cancel(reason).catch(() => {});
      await end();
    },
  });
  return new Response(passed, { status: answer.status, headers: answer.headers });
}

/** The branches and tags that were commanded to move, and that the report has accepted; null if they are not known. */
function moved(commands: Lines, report: Lines): Update[] | null {
  if (!commands.hasAll) return null;
  if (commands.lines.length === 0) return [];
  const reported = reportOf(report);
  if (!reported.hasAll) return null;
  const accepted = new Set<string>();
  for (const line of reported.lines.map(text)) if (line.startsWith("ok ")) accepted.add(line.slice(3).trimEnd());
  const updates: Update[] = [];
  for (const line of commands.lines.map(text)) {
    const [, before, after, ref] =
      /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs\/(?:heads|tags)\/[^\0\n]+)/.exec(line) ?? [];
    if (before === undefined || after === undefined || ref === undefined) continue;
    if (accepted.has(ref) && before !== after) updates.push({ ref, before: id(before), after: id(after) });
  }
  return updates;
}

/** An object id; null if it is all zeros, which stands for no object. */
function id(hex: string): string | null {
  return /^0+$/.test(hex) ? null : hex;
}

/** The lines of a report. Git mostly sends it in the first band of a side band; the others have messages for people. */
function reportOf(answer: Lines): Lines {
  if (!answer.lines.some(([band]) => band !== undefined && band <= 3)) return answer;
  const report = new Lines();
  for (const line of answer.lines) if (line[0] === 1) report.add(line.subarray(1));
  return report;
}

/** The packet lines at the start of a stream, up to the first flush packet. What follows, such as a pack, is not kept. */
class Lines {
  /** The contents of the lines. */
  readonly lines: Bytes[] = [];
  /** Whether the flush packet has come. */
  hasAll = false;
  #rest: Bytes = new Uint8Array();
  #kept = 0;

  add(bytes: Bytes): void {
    if (this.hasAll || this.#kept > MAX_KEPT) return;
    let all = bytes;
    if (this.#rest.length > 0) {
      all = new Uint8Array(this.#rest.length + bytes.length);
      all.set(this.#rest);
      all.set(bytes, this.#rest.length);
    }
    let at = 0;
    while (at + 4 <= all.length) {
      const digits = text(all.subarray(at, at + 4));
      const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : 0;
      if (length < 4) {
        this.hasAll = true;
        return;
      }
      if (at + length > all.length) break;
      this.lines.push(all.slice(at + 4, at + length));
      this.#kept += length;
      at += length;
    }
    this.#rest = all.slice(at);
  }
}

/** Calls `see` with each chunk that passes. */
function tap(see: (bytes: Bytes) => void): TransformStream<Bytes, Bytes> {
  return new TransformStream({
    transform(chunk, controller) {
      see(chunk);
      controller.enqueue(chunk);
    },
  });
}

function text(bytes: Bytes): string {
  return decoder.decode(bytes);
}

const decoder = new TextDecoder();
/** Bytes of lines. A push of more refs than that, some 50,000, is not announced. */
const MAX_KEPT = 8_000_000;
