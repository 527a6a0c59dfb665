// A file is on the path of a request if one of its functions is on the call stack between `client.repos.syncUpstream()` and its SQL
// statement: it has called the next function, and waits for it. Functions that have returned by then (they check the arguments, find the
// caller or make a URL) are not on the path, and neither are generated files and dependencies. The stack is taken at four places:
// where the client's TypeScript calls Rust, where Rust calls `fetch`, where the server's TypeScript calls Rust, and where the statement
// goes to the database. The stacks are real: V8 names the functions of a debug build, and knows which functions await.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";

import { root } from "../../../scripts/command.mjs";
import { walk } from "./walk.mjs";

/** The most files on the path. */
const MOST = 20;

describe("a request from client.repos.syncUpstream() to its SQL statement", () => {
  /** @type {import("./walk.mjs").Walk} */
  let walked;
  before(async () => {
    walked = await walk();
  });

  test(`goes through at most ${MOST} files, and CONTRIBUTING.md lists them`, (t) => {
    const { stack, ran } = walked;
    t.diagnostic(`on the path: ${stack.length} files; with any function that ran: ${ran.length} files`);
    for (const file of ran) t.diagnostic(`${stack.includes(file) ? "path" : "ran "} ${file}`);
    assert.ok(stack.length <= MOST, `it goes through ${stack.length} files:\n${stack.join("\n")}`);
    const guide = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
    const listed = /## The walk of a request.*?```text\n(.*?)```/s.exec(guide)?.[1];
    assert.deepEqual(listed?.trim().split("\n"), stack, "the list of CONTRIBUTING.md");
  });

  test("is written once by the client and parsed once by the service", () => {
    const count = (/** @type {string[]} */ functions, /** @type {string} */ name) =>
      functions.filter((each) => each.startsWith(name)).length;
    const { client, service } = walked.functions;
    assert.equal(count(client, "refsync::api::json_tree::Json::encode::"), 1);
    assert.equal(count(service, "refsync::api::json_tree::Json::parse::"), 1);
    // Rows of the database are parsed by another parser, and nothing else is.
    assert.equal(count(service, "serde_json::de::from_trait::"), count(service, "refsync::service::store::parsed::"));
    assert.ok(count(service, "refsync::service::store::parsed::") > 0, "the caller and the repository are rows");
  });
});
