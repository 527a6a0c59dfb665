// Plants credentials with known values, and then searches for them in every place that other people may read.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";

import { openEmbedded, openPostgres } from "refsync/node";
import { present } from "../../../support/present.mjs";
import { postgres } from "../../../support/service/postgres.mjs";
import { folder, refsync } from "../support.mjs";
import { assertNowhere } from "./forms.mjs";
import { walk } from "./planted.mjs";

test("no planted credential is in any log, error, event, table, answer or process list, on PostgreSQL", async (t) => {
  const server = await postgres({
    log_statement: "all",
    log_min_duration_statement: 0,
    track_activity_query_size: 16384,
  });
  t.after(() => server.stop());
  const databasePassword = `planted-database-${randomBytes(8).toString("hex")}`;
  const url = server.url.replace("refsync@", `refsync:${databasePassword}@`);
  const { planted, places } = await walk(t, {
    data: join(folder(t), "data"),
    env: { REFSYNC_DATABASE_URL: url },
    open: () => openPostgres(url),
    retried: true,
  });
  const log = server.log();
  assert.match(log, /upstream_auth.*DETAIL: {2}parameters/s, "statements were logged with their parameters");
  const dump = await server.dump("--schema=refsync");
  assertNowhere({ ...planted, databasePassword }, { ...places, "PostgreSQL's log": log, "the dump": dump });
});

/**
 * The text in every file below a folder, by path. Most of a database is not text.
 *
 * @param {string} root
 * @returns {Record<string, string>}
 */
function files(root) {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, path, name }) => join(parentPath ?? path, name));
  /** @param {string} path */
  const text = (path) => (readFileSync(path, "latin1").match(/[\x20-\x7e\n]{8,}/g) ?? []).join("\0");
  return Object.fromEntries(paths.map((path) => [relative(root, path), text(path)]));
}

test("nor on the embedded database, or in a file of the data folder or of a backup but the keys' own", async (t) => {
  const data = join(folder(t), "data");
  const { planted, places } = await walk(t, {
    data,
    open: () => openEmbedded(join(data, "database")),
    retried: false,
  });
  const backup = join(folder(t), "backup");
  const keys = { REFSYNC_SECRET_KEY: planted.secretKey };
  const made = await refsync(["backup", backup, "--data", data], keys);
  assert.equal(made.status, 0, made.stderr);
  // `serve` stores this key in a file, because it prints the key at each start.
  const { "api-key": apiKey, "secret.key": _, ...kept } = files(data);
  assert.equal(present(apiKey).trim(), planted.apiKey);
  const { "api-key": __, "secret.key": ___, ...saved } = files(backup);
  const sealed = /\bv1\.[A-Za-z0-9+/]{40}/;
  const inDatabase = Object.entries(kept).filter(([path, text]) => path.startsWith("database/") && sealed.test(text));
  assert.ok(inDatabase.length > 0, "the sealed ones are in the database's files");
  assert.match(present(saved["database.jsonl"]), sealed);
  assertNowhere(planted, { ...places, ...kept, ...saved });
});
