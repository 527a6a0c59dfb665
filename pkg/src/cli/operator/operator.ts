/**
 * How the operator's commands reach the service: through the socket of the process that serves the data folder or, if none does,
 * through the database.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { openEmbedded } from "../../node/database/embedded.js";
import { type NotifyingDatabase, openPostgres } from "../../node/database/postgres.js";
import { noRepositories } from "../../node/git/no-repositories.js";
import { askOperator, type OperatorFetch } from "../../node/http/operator-socket.js";
import { Service } from "../../service.js";
import { openedFolder } from "../opened-folder.js";
import type { PlaceFlags } from "./backup.js";

/** Calls the service as its operator. */
export interface Operator {
  /** Makes one call and returns the answer. Throws an error with the service's message if the call is refused. */
  call<T>(method: string, path: string, body?: object): Promise<T>;
  /** Every item of a list, which is under `name` in each page. */
  list<T>(path: string, name: string): Promise<T[]>;
}

/** Connects to the service of this place, calls `use` with the connection, and closes it again. */
export async function asOperator<T>(place: PlaceFlags, use: (operator: Operator) => Promise<T>): Promise<T> {
  const { database: url } = place;
  if (url !== undefined) return withDatabase(await openPostgres(url), use);
  const path = resolve(place.data);
  if (!existsSync(join(path, "database"))) {
    throw new Error(
      `${place.data}: there is no service in this folder; name its data folder with --data, or its PostgreSQL with --database`,
    );
  }
  const probe = await askOperator(path, new Request(`${BASE}/operator/orgs`));
  if (probe !== null) {
    return use(operator(async (request) => (await askOperator(path, request)) ?? Promise.reject(stopped(place.data))));
  }
  const folder = await openedFolder(path, { shared: false });
  try {
    const database = await openEmbedded(folder.database, { check: folder.check });
    return await withDatabase(database, use, () => folder.verify(database));
  } finally {
    await folder.release();
  }
}

async function withDatabase<T>(
  database: NotifyingDatabase,
  use: (operator: Operator) => Promise<T>,
  verify = async () => {},
): Promise<T> {
  try {
    await verify();
    const service = new Service({
      database,
      git: noRepositories("operator commands cannot reach repositories"),
      fetch: () => Promise.reject(new Error("operator commands make no requests")),
      // Keys are stored as hashes, so these commands need no secret key.
      secretKey: new Uint8Array(32),
    });
    await service.migrateTo(NEWEST);
    return await use(operator((request) => service.operatorFetch(request)));
  } finally {
    await database.close();
  }
}

function operator(fetch: OperatorFetch): Operator {
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const init = body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const answer = await fetch(new Request(BASE + path, { method, ...init }));
    const json = (await answer.json()) as { error?: { message: string } };
    if (!answer.ok) throw new Error(json.error?.message ?? `${method} ${path}: ${answer.status}`);
    return json as T;
  };
  return {
    call,
    async list<T>(path: string, name: string) {
      const items: T[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const from: string = cursor && `&cursor=${encodeURIComponent(cursor)}`;
        const page: Record<string, unknown> = await call("GET", `${path}?limit=100${from}`);
        items.push(...(page[name] as T[]));
        cursor = page.next_cursor as string | null;
      }
      return items;
    },
  };
}

function stopped(data: string): Error {
  return new Error(`${data}: the process that served it has stopped; repeat the command`);
}

/** The service reads only the path. */
const BASE = "http://localhost";
/** The newest schema that this version knows. */
const NEWEST = 0xffff_ffff;
