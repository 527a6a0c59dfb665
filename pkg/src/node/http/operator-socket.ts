/**
 * The operator's access to a running service: a Unix socket in the data folder. Only the folder's owner can open it, so a call needs no
 * credential. It speaks HTTP: `curl --unix-socket refsync-data/operator.sock http://localhost/operator/orgs`.
 *
 * @module
 */

import { chmod, mkdtemp, rename, rm, symlink } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { getRequestListener } from "@hono/node-server";

/** Answers the calls of the operator. */
export type OperatorFetch = (request: Request) => Promise<Response>;

/** The socket's path in a data folder. */
export function operatorSocket(folder: string): string {
  return join(folder, NAME);
}

/**
 * Serves the operator, and resolves to a function that stops it. The caller holds the folder's lock, so an existing socket is left
 * over from a killed process and is replaced.
 */
export async function serveOperator(folder: string, fetch: OperatorFetch): Promise<() => Promise<void>> {
  const path = operatorSocket(folder);
  // Creates the socket in a folder that nobody else can enter, sets its mode, and then moves it to its place.
  const unfinished = await mkdtemp(join(folder, ".operator-"));
  const server = createServer(getRequestListener(fetch, { overrideGlobalObjects: false }));
  try {
    await withShortPath(unfinished, (short) => listening(server, join(short, NAME)));
    await chmod(join(unfinished, NAME), 0o600);
    await rename(join(unfinished, NAME), path);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return async () => {
    await rm(path, { force: true });
    // A key that was just made must reach the caller.
    const cutOff = setTimeout(() => server.closeAllConnections(), GRACE);
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeIdleConnections();
    });
    clearTimeout(cutOff);
  };
}

/** Sends a request to the process that serves the folder, and reads the whole answer; null if there is no process. */
export function askOperator(folder: string, asked: Request): Promise<Response | null> {
  return withShortPath(folder, async (short) => {
    const body = await asked.text();
    return new Promise<Response | null>((resolve, reject) => {
      const { pathname, search } = new URL(asked.url);
      const call = request(
        {
          socketPath: join(short, NAME),
          path: pathname + search,
          method: asked.method,
          headers: { ...Object.fromEntries(asked.headers), "content-length": Buffer.byteLength(body) },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 500 })));
        },
      );
      call.on("error", (error: NodeJS.ErrnoException) => {
        // No socket means that nobody serves the folder. If nobody listens on it, a killed process left it.
        if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(null);
        else reject(new Error(`${operatorSocket(folder)}: ${error.message}`, { cause: error }));
      });
      call.end(body);
    });
  });
}

/**
 * Calls `use` with the folder, or with a link to it if the socket's path would be too long: the kernel takes about 100 bytes. The
 * link is in a folder that nobody else can enter.
 */
async function withShortPath<T>(folder: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(join(folder, NAME)) <= LONGEST) return use(folder);
  const links = await mkdtemp(join(tmpdir(), "refsync-"));
  try {
    const short = join(links, "f");
    if (Buffer.byteLength(join(short, NAME)) > LONGEST) {
      throw new Error(`${operatorSocket(folder)}: is too long for a socket, and so is ${dirname(links)}; set TMPDIR`);
    }
    await symlink(folder, short);
    return await use(short);
  } finally {
    await rm(links, { recursive: true, force: true });
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

const NAME = "operator.sock";
/** Milliseconds that a running call may still take when the service stops. */
const GRACE = 2_000;
/** Bytes. macOS takes 103 and Linux 107. */
const LONGEST = 100;
