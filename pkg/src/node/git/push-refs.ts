/**
 * Lists the refs of a repository for a push: what `git http-backend` answers to `info/refs?service=git-receive-pack`.
 *
 * Every sync needs this list, and most syncs need no other Git command. Starting a process from Node copies the page tables of the whole
 * process: 1 ms for 50 MB, and 17 ms for 250 MB. So a small shell stays and starts Git for one repository after another. It runs
 * `git receive-pack` directly. `git http-backend` would start two more processes.
 *
 * @module
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { Readable } from "node:stream";

import { readableFrom } from "../http/web-stream.js";

/** Lists refs in shells that stay. `environment` is the whole environment of Git. */
export class PushRefs {
  /** The shells that wait for work, and the timers that end them. */
  readonly #idle = new Map<Shell, NodeJS.Timeout>();

  constructor(private readonly environment: Record<string, string>) {}

  /** Whether this can answer the request. `git http-backend` answers all others. */
  static answers(request: Request, path: string): boolean {
    const { pathname, search } = new URL(request.url);
    const isList =
      request.method === "GET" && pathname.endsWith("/info/refs") && search === "?service=git-receive-pack";
    // A push has no protocol 2, so Git ignores it here.
    const protocol = request.headers.get("git-protocol") ?? "version=2";
    return isList && protocol === "version=2" && !path.includes("\n") && process.platform !== "win32";
  }

  /** Answers the request for the repository at this path. Rejects if Git fails before it lists anything. */
  async answer(request: Request, path: string): Promise<Response> {
    const shell = this.#take();
    const { refs, begun } = shell.list(path, () => this.#keep(shell));
    const abandon = () => void refs.destroy(new Error("the request was aborted"));
    request.signal.addEventListener("abort", abandon, { once: true });
    refs.on("close", () => request.signal.removeEventListener("abort", abandon));
    if (request.signal.aborted) abandon();
    await begun;
    const headers = { "content-type": "application/x-git-receive-pack-advertisement", "cache-control": "no-cache" };
    return new Response(readableFrom(refs), { headers });
  }

  #take(): Shell {
    for (const [shell, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(shell);
      return shell;
    }
    return new Shell(this.environment);
  }

  #keep(shell: Shell): void {
    const end = () => {
      this.#idle.delete(shell);
      shell.end();
    };
    if (this.#idle.size === MAX_IDLE) end();
    else this.#idle.set(shell, setTimeout(end, IDLE_TIME).unref());
  }
}

/** One shell. It lists the refs of one repository at a time. */
class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  /** The shell writes this line after each list, with Git's exit code. No repository knows it. */
  readonly #mark = `\n${randomUUID()} `;
  #stderr = "";
  /** Git's exit code, if it failed. */
  #code: number | undefined;

  constructor(env: Record<string, string>) {
    this.#child = spawn("sh", ["-c", script, this.#mark.trim()], { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000);
    });
    // Both are followed by the shell's `close`, which ends the list.
    this.#child.stdin.on("error", () => {});
    this.#child.on("error", (error) => {
      this.#stderr = error.message;
    });
    this.#child.stdout.pause();
    this.#holdsProcess(false);
  }

  /** `begun` resolves with the first bytes. `onEnd` is called when the shell is ready for another repository. */
  list(path: string, onEnd: () => void): { refs: Readable; begun: Promise<unknown> } {
    const { stdin, stdout } = this.#child;
    this.#stderr = "";
    this.#holdsProcess(true);
    let held: Buffer = Buffer.alloc(0);
    let hasBegun = false;
    let isDone = false;
    const stop = () => {
      stdout.pause().removeListener("data", onData);
      this.#child.removeListener("close", onClose);
      this.#holdsProcess(false);
    };
    const refs = new Readable({
      highWaterMark: 128 * 1024,
      read: () => void (isDone || stdout.resume()),
      destroy: (error, done) => {
        if (!isDone) {
          stop();
          this.end();
        }
        done(error);
      },
    });
    const pass = (bytes: Buffer) => {
      // Smart HTTP begins with the service's name (gitprotocol-http, "Smart Server Response").
      const all = hasBegun ? bytes : Buffer.concat([Buffer.from("001f# service=git-receive-pack\n0000"), bytes]);
      if (!refs.push(all)) stdout.pause();
      if (!hasBegun) refs.emit("begun");
      hasBegun = true;
    };
    const onData = (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const code = this.#exitCode(held);
      const end = code === undefined ? held.length - MARK_LENGTH : held.lastIndexOf(this.#mark);
      if (end > 0) pass(held.subarray(0, end));
      held = held.subarray(Math.max(end, 0));
      if (code === undefined) return;
      // Git's message may arrive after the mark. When the shell has ended, all of it is there.
      if (code !== 0) {
        this.#code = code;
        return this.end();
      }
      isDone = true;
      stop();
      refs.push(null);
      onEnd();
    };
    const onClose = () => refs.destroy(this.#failed());
    stdout.on("data", onData).resume();
    this.#child.on("close", onClose);
    const begun = once(refs, "begun");
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) onClose();
    stdin.write(`${path}\n`);
    return { refs, begun };
  }

  end(): void {
    this.#child.stdin.end();
    this.#child.kill();
  }

  /** Git's exit code, if the output ends with the mark. */
  #exitCode(output: Buffer): number | undefined {
    const tail = output.toString("latin1", Math.max(0, output.length - MARK_LENGTH));
    const at = tail.lastIndexOf(this.#mark);
    return at >= 0 && tail.endsWith("\n") ? Number.parseInt(tail.slice(at + this.#mark.length), 10) : undefined;
  }

  #failed(): Error {
    const why = this.#code === 127 ? "git is not installed, or not in PATH" : this.#stderr.trim();
    return new Error(`git receive-pack: ended without an answer${why && `: ${why}`}`);
  }

  /** Whether the shell keeps this process from ending. */
  #holdsProcess(does: boolean): void {
    const verb = does ? "ref" : "unref";
    this.#child[verb]();
    for (const stream of this.#child.stdio) (stream as Socket | null)?.[verb]();
  }
}

/** `$0` is the mark. */
const script = `while IFS= read -r path; do
  git receive-pack --stateless-rpc --advertise-refs "$path" </dev/null
  printf '\\n%s %d\\n' "$0" "$?"
done`;

/** The most bytes of a mark: a line break, a UUID, a space, three digits and a line break. */
const MARK_LENGTH = 42;

/** How many shells may wait for work. */
const MAX_IDLE = 4;

/** How long a shell waits for work, in milliseconds. */
const IDLE_TIME = 30_000;
