// The calls that the tests of malformed calls send.

const names = [
  "app",
  "APP",
  "nothing",
  "%00",
  "%ff",
  "%2e%2e",
  "..%2fother",
  "a%20b",
  "%F0%9F%90%99",
  "'--",
  "x".repeat(3000),
];
const bodies = [
  undefined,
  "",
  " ",
  "null",
  "true",
  "0",
  '"text"',
  "[]",
  "[[[[",
  "{",
  "}",
  '{"a":}',
  "{'a':1}",
  '{"direction":"pull",}',
  '{"direction":"pull"}x',
  '{"direction":"\\ud800"}',
  '{"direction":{"pull":true}}',
  '{"direction":"pull","ref_globs":[]}',
  '{"direction":"pull","ref_globs":{"branches":"[["}}',
  '{"direction":"pull","ref_globs":{"branches":{}}}',
  '{"name":"\\u0000"}',
  '{"name":1e999}',
  '{"name":{"$ne":null}}',
  '{"name":"a","name":"b"}',
  '{"tags":{"a":{"b":"c"}}}',
  '{"tags":{"":""}}',
  '{"upstream":{"url":"javascript:alert(1)"}}',
  '{"upstream":{"url":"http://[::::]/"}}',
  '{"upstream":{"url":"https://h/","auth":{"kind":"token","token":9}}}',
  '{"url":"http://h/","events":[null]}',
  '{"url":"http://h/","events":["push"],"repo_ids":[1]}',
  '{"url":"http://h/","events":{"push":true}}',
  `{"__proto__":{"direction":"pull"},"constructor":1}`,
  "[".repeat(50_000),
  '{"a":'.repeat(20_000),
  `{"name":"${"x".repeat(100_000)}"}`,
  `{"direction":"pull","ref_globs":{"branches":"${"*a".repeat(500)}"}}`,
  new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
  new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
];
const queries = [
  "",
  "?limit=0",
  "?limit=-1",
  "?limit=1e3",
  "?cursor=%00",
  "?cursor=AAAA",
  "?limit=%ff",
  "?tags={",
  "?&&==&",
  "?tags=a",
];
const credentials = [
  "",
  "Bearer",
  "Bearer ",
  "Basic !!!",
  "Basic OjpAOg==",
  "Bearer refsync_",
  "Bearer a.b.c",
  `Bearer ${"k".repeat(20_000)}`,
  "Digest x",
];
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];
const paths = [
  ...["/whoami", "/acme", "/acme/repos", "/nobody/repos", "/acme/webhook-targets", "/acme/webhook-targets/wht_1"],
  ...["/acme/webhook-targets/%00/rotate-secret", "/openapi.json", "//", "/", "/acme//", "/acme/app/upstream", "/%"],
  ...names.flatMap((name) => [
    `/acme/${name}`,
    `/acme/${name}/upstream/syncs`,
    `/acme/${name}/upstream/plan`,
    `/acme/app/upstream/syncs/${name}`,
    `/acme/app/upstream/syncs/${name}/events`,
    `/acme/app/upstream/syncs/${name}/cancel`,
  ]),
];

/**
 * Existing calls, for most requests. A wrong path or method would be refused before all other checks.
 *
 * @type {[method: string, path: string][]}
 */
const calls = [
  ["POST", "/acme/repos"],
  ["PATCH", "/acme/app"],
  ["POST", "/acme/app/upstream/syncs"],
  ["POST", "/acme/app/upstream/plan"],
  ["POST", "/acme/webhook-targets"],
  ["PATCH", "/acme/webhook-targets/TARGET"],
  ["GET", "/acme/repos"],
  ["GET", "/acme/app/upstream/syncs"],
];

/**
 * Pseudo-random numbers that are the same each time.
 *
 * @param {number} seed
 * @returns {Generator<number, never>}
 */
function* chance(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

/**
 * @typedef {object} MalformedCall
 * @property {string} method
 * @property {string} path
 * @property {string | Uint8Array<ArrayBuffer> | undefined} body
 * @property {Record<string, string>} headers
 * @property {string} what
 */

/**
 * Malformed calls, the same each time: paths below `/v1`, with the organisation `org` and the repository `app`, whose key
 * is `key`.
 *
 * @param {number} count
 * @param {{ key: string, targetId: string, org?: string }} target
 * @returns {Generator<MalformedCall>}
 */
export function* malformed(count, { key, targetId, org = "acme" }) {
  const numbers = chance(4);
  /**
   * @template T
   * @param {T[]} list
   */
  const pick = (list) => /** @type {T} */ (list[numbers.next().value % list.length]);
  for (let n = 0; n < count; n += 1) {
    /** @type {[method: string, path: string]} */
    const [method, where] = n % 3 === 0 ? [pick(methods), pick(paths)] : pick(calls);
    const path = where.replace("TARGET", targetId) + (n % 4 === 0 || where.endsWith("s") ? pick(queries) : "");
    const body = method === "GET" || method === "HEAD" ? undefined : pick(bodies);
    const authorization = n % 10 === 0 ? pick(credentials) : `Bearer ${key}`;
    const headers = { ...(authorization && { authorization }), ...(n % 17 === 0 && { accept: "application/xml" }) };
    const what = `${n}: ${method} ${path.slice(0, 60)} ${String(body).slice(0, 60)}`;
    // A call that is valid by chance must not delete the repository that the other calls use.
    if (method === "DELETE" && /^\/acme\/app\b/i.test(path)) continue;
    yield { method, path: path.replace(/^\/acme\b/, `/${org}`), body, headers, what };
  }
}
