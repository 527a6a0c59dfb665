// Checks the OpenAPI document itself: redocly's rules, its examples, and its webhooks against real deliveries.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Ajv2020 } from "ajv/dist/2020.js";
import { knownEvents } from "../../../../pkg/dist/webhooks/events.js";

import { workTree } from "../../../support/git/git.mjs";
import { deliverAll, receive } from "../receiver.mjs";
import { start } from "../support.mjs";

/**
 * @import { TestContext } from "node:test"
 * @typedef {import("../../../support/json.mjs").Json} Json
 */

const root = fileURLToPath(new URL("../../../..", import.meta.url));
/** @type {Json} */
const document = JSON.parse(readFileSync(join(root, "src/service/router/openapi/openapi.json"), "utf8"));
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(closed(document), "document");

/** Every operation of the paths and of the webhooks. */
const operations = [document.paths, document.webhooks].flatMap((places) =>
  Object.entries(places).flatMap(([place, item]) =>
    Object.entries(/** @type {Record<string, Json>} */ (item))
      .filter(([method]) => /^(get|post|patch|delete|put)$/.test(method))
      .map(([method, operation]) => ({ name: `${method.toUpperCase()} ${place}`, place, operation })),
  ),
);

test("redocly lint finds nothing, not even a warning", async () => {
  const redocly = join(root, "node_modules/.bin/redocly");
  const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
  const lint = promisify(execFile)(redocly, ["lint", "service", "--format", "json"], {
    cwd: join(root, "scripts/docs"),
    env,
  });
  const { stdout, code = 0 } = await lint.catch((error) => error);
  assert.match(stdout, /"totals"/, "it has judged the document");
  const { totals, problems } = JSON.parse(stdout.slice(stdout.indexOf("{")));
  assert.deepEqual([code, totals.errors, totals.warnings], [0, 0, 0], JSON.stringify(problems, null, 2));
  assert.equal(totals.ignored, 1, "the only exception is the call that cannot fail");
});

test("every operation has a summary, a description and a group", () => {
  assert.ok(operations.length >= 34, `${operations.length} operations only`);
  const groups = new Set(document.tags.map((/** @type {Json} */ tag) => tag.name));
  for (const { name, operation } of operations) {
    assert.match(operation.summary, /^[A-Z][^.]+$/, name);
    assert.match(operation.description, /\.$/, name);
    assert.deepEqual(
      operation.tags.map((/** @type {string} */ tag) => groups.has(tag)),
      [true],
      name,
    );
  }
});

test("every operation with a scope names it in its security and in its description", () => {
  const scoped = operations.filter(({ operation }) =>
    operation.security.some((/** @type {Json} */ one) => one.apiKey?.[0]),
  );
  assert.ok(scoped.length >= 24, `${scoped.length} only`);
  for (const { name, operation } of scoped) {
    const [{ apiKey }, { accessToken }] = operation.security;
    assert.deepEqual(apiKey, accessToken, name);
    assert.ok(operation.description.endsWith(`Scope: \`${apiKey[0]}\`.`), name);
    assert.match(apiKey[0], /^(read|write|admin)$/);
  }
});

/**
 * The examples of a media type.
 *
 * @param {Json} media
 * @returns {Json[]}
 */
function examples(media) {
  const named = Object.values(/** @type {Record<string, Json>} */ (media.examples ?? {})).map(({ value }) => value);
  return "example" in media ? [media.example] : named;
}

test("every request and every answer has an example, and its schema accepts it", () => {
  let count = 0;
  for (const { name, operation } of operations) {
    const bodies = [operation.requestBody, ...Object.values(operation.responses)].map((body) =>
      body?.$ref ? document.components.responses[body.$ref.split("/").at(-1)] : body,
    );
    for (const media of bodies.flatMap((body) => Object.values(body?.content ?? {}))) {
      // The document does not contain itself.
      if (name === "GET /openapi.json") continue;
      const found = examples(media);
      assert.ok(found.length > 0, `${name} has a body without an example`);
      const validate = ajv.compile(prefixed(media.schema));
      for (const example of found) {
        count += 1;
        assert.ok(validate(example), `${name}: ${ajv.errorsText(validate.errors)}`);
      }
    }
  }
  assert.ok(count > 300, `${count} examples only`);
});

test("every shape that is an object has an example, and its schema accepts it", () => {
  const schemas = /** @type {[string, Json][]} */ (Object.entries(document.components.schemas));
  const objects = schemas.filter(
    ([, schema]) => schema.type === "object" || schema.oneOf?.some((/** @type {Json} */ one) => one.properties),
  );
  assert.ok(objects.length > 40, `${objects.length} only`);
  for (const [name, schema] of objects) {
    const validate = ajv.getSchema(`document#/components/schemas/${name}`);
    assert.ok(
      schema.examples?.length > 0,
      `no example contains a ${name}; record one with scripts/samples/openapi.mjs`,
    );
    for (const example of schema.examples)
      assert.ok(validate?.(example), `${name}: ${ajv.errorsText(validate?.errors)}`);
  }
});

test("every shape and every field of a shape has a description", () => {
  /**
   * @param {string} place
   * @param {Json} schema
   */
  const check = (place, schema) => {
    for (const [name, field] of Object.entries(/** @type {Record<string, Json>} */ (schema.properties ?? {}))) {
      // The word that tells the kinds of an object apart is described by the kind.
      if ("const" in field) continue;
      assert.ok(field.description, `${place}.${name} has no description`);
      check(`${place}.${name}`, field);
    }
    for (const one of schema.oneOf ?? []) check(place, one);
  };
  for (const [name, schema] of Object.entries(/** @type {Record<string, Json>} */ (document.components.schemas))) {
    assert.ok(schema.description, `${name} has no description`);
    check(name, schema);
  }
});

test("the document has a webhook for each event that the package knows", () => {
  assert.deepEqual(Object.keys(document.webhooks).sort(), Object.keys(knownEvents).sort());
});

test("real deliveries of every event fit their webhooks", async (t) => {
  const { ok, call, service, keys, listen, sql } = await start(t, {
    service: { publicUrl: "https://sync.example.com" },
  });
  const receiver = await receive(t);
  const events = Object.keys(document.webhooks);
  await ok("POST", "/acme/webhook-targets", { url: receiver.url, events });
  const source = await upstream(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/nowhere.git" } });
  // The first run is cancelled, the second one completes, the third one finds a rewritten branch, and the fourth one holds it.
  const first = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
  await ok("POST", `/acme/app/upstream/syncs/${first.id}/cancel`);
  await ok("PATCH", "/acme/app", { tags: { team: "web" }, upstream: { url: source.url, max_age: "1h" } });
  const hold = { upstream: { url: source.url, policy: { on_diverged: "hold" } } };
  for (const change of [async () => {}, source.rewrite, () => ok("PATCH", "/acme/app", hold)]) {
    await change();
    const { id } = await ok("POST", "/acme/app/upstream/syncs", { direction: "pull" });
    await service.tick();
    const { status, error } = await ok("GET", `/acme/app/upstream/syncs/${id}`);
    assert.equal(status, "completed", error);
  }
  // Two hours pass, and then the promise is one of a day.
  const age = "interval '2 hours'";
  await sql(`UPDATE refsync.repos SET upstream_verified_steady = upstream_verified_steady - ${age},
    upstream_watched_from = upstream_watched_from - ${age}, upstream_check_at = now() - ${age}`);
  for (const max_age of ["1h", "1d"]) {
    await ok("PATCH", "/acme/app", { upstream: { url: source.url, max_age } });
    // The service looks once a second.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await deliverAll(service);
  }
  // The upstream refuses the credential until the schedule is paused.
  const refused = {
    url: source.url.replace(/\/\/.*@/, "//"),
    auth: { kind: "token", token: "expired" },
    schedule: { every: "30d" },
  };
  await ok("POST", "/acme/repos", { name: "refused", upstream: refused });
  for (let n = 0; n < 5; n += 1) {
    await call("POST", "/acme/refused/upstream/syncs", { direction: "pull" });
    await service.tick();
  }
  const tree = await workTree();
  t.after(() => tree.remove());
  await tree.commit("pushed");
  const address = (await listen()).replace("//", `//x:${keys.write}@`);
  await tree.git("push", "--quiet", `${address}/acme/app.git`, "HEAD:refs/heads/pushed");
  assert.equal((await call("DELETE", "/acme/app"))[0], 200);
  await deliverAll(service);

  assert.deepEqual(new Set(receiver.types()), new Set(events), "each event has come");
  const { schema: signature } = document.components.parameters["x-mesa-signature"];
  for (const { headers, event } of receiver.deliveries) {
    const body = document.webhooks[event.type].post.requestBody.content["application/json"];
    const validate = ajv.compile(prefixed(body.schema));
    assert.ok(validate(event), `${event.type}: ${ajv.errorsText(validate.errors)}`);
    assert.match(String(headers["x-mesa-signature"]), new RegExp(signature.pattern));
  }
});

test("each answer to the call of a hook is in the document", async (t) => {
  const { ok, service } = await start(t);
  await ok("POST", "/acme/repos", { name: "app", upstream: { url: "http://127.0.0.1:9/nowhere.git" } });
  const { url, secret } = await ok("POST", "/acme/app/upstream/hook");
  const { parameters, post } = document.paths["/hooks/hook_{hook_id}"];
  const [, id = ""] = /\/v1\/hooks\/hook_(.*)$/.exec(url) ?? [];
  assert.match(id, new RegExp(parameters[0].schema.pattern));
  const payload = JSON.stringify(examples(post.requestBody.content["application/json"])[0]);
  const form = new URLSearchParams(examples(post.requestBody.content["application/x-www-form-urlencoded"])[0]);
  const signed = { "x-gitlab-token": secret };
  const push = { ...signed, "x-github-event": "push" };
  /** @type {[expected: number, headers: Record<string, string>, body: string | URLSearchParams, id?: string][]} */
  const calls = [
    [200, push, payload],
    [200, push, form],
    [200, { ...signed, "x-github-event": "ping" }, payload],
    [202, { ...signed, "x-github-event": "star" }, payload],
    [400, push, "{"],
    [401, { "x-github-event": "push" }, payload],
    [404, push, payload, "0".repeat(28)],
    [413, push, "x".repeat((5 << 20) + 1)],
  ];
  for (const [expected, headers, body, other = id] of calls) {
    const init = { method: "POST", headers, body };
    const response = await service.fetch(new Request(`http://localhost/v1/hooks/hook_${other}`, init));
    assert.equal(response.status, expected, JSON.stringify(headers));
    const documented = post.responses[expected];
    const { content } = documented.$ref ? document.components.responses[documented.$ref.split("/").at(-1)] : documented;
    const validate = ajv.compile(prefixed(content["application/json"].schema));
    assert.ok(validate(await response.json()), `${expected}: ${ajv.errorsText(validate.errors)}`);
  }
});

/**
 * A repository on another service, which the test's service may reach. `rewrite` replaces its branch.
 *
 * @param {TestContext} t
 */
async function upstream(t) {
  const other = await start(t);
  await other.ok("POST", "/acme/repos", { name: "source" });
  const url = `${(await other.listen()).replace("//", `//x:${other.keys.write}@`)}/acme/source.git`;
  const tree = await workTree();
  t.after(tree.remove);
  const rewrite = async () => {
    await tree.git("checkout", "--quiet", "--orphan", "other");
    await tree.commit("another first commit");
    await tree.git("push", "--quiet", "--force", url, "other:main");
  };
  await tree.commit("the first commit");
  await tree.git("push", "--quiet", url, "main");
  return { url, rewrite };
}

/**
 * The same schema with references that work outside of the document.
 *
 * @param {Json} schema
 * @returns {Json}
 */
function prefixed(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"document#/components'));
}

/**
 * The same document, whose shapes also refuse fields that they do not name.
 *
 * @param {Json} document
 * @returns {Json}
 */
function closed(document) {
  const copy = structuredClone(document);
  for (const schema of Object.values(/** @type {Record<string, Json>} */ (copy.components.schemas))) {
    if (schema.properties) schema.additionalProperties ??= false;
  }
  return copy;
}
