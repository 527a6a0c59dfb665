/** The package as users get it: packed, and installed into an empty project. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PKG = join(ROOT, "pkg");

/**
 * @typedef {{ filename: string, files: { path: string }[] }} Packed The output of `npm pack --json` for a package.
 * @typedef {Awaited<ReturnType<typeof project>>} Project
 */

/**
 * Packs the package. `path` is the tarball, and `files` are its files. If the variable `REFSYNC_TARBALL` names a tarball, takes
 * that one: a release publishes exactly the file that was tested.
 *
 * @param {string} folder
 */
export async function pack(folder) {
  const given = process.env.REFSYNC_TARBALL;
  if (given) {
    const path = resolve(ROOT, given);
    const { stdout } = await run("tar", ["--list", "--gzip", "--file", path]);
    // Every name in a package begins with `package/`.
    return {
      path,
      files: stdout
        .trim()
        .split("\n")
        .map((name) => name.replace(/^package\//, "")),
    };
  }
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: PKG,
  });
  /** @type {Packed[] | Record<string, Packed>} */
  const parsed = JSON.parse(stdout);
  // npm 11 and older print a list, newer versions an object by name.
  const [packed] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  if (!packed) throw new Error("npm pack: it packed nothing");
  const { filename, files } = packed;
  return { path: join(folder, filename), files: files.map(({ path }) => path) };
}

/**
 * Makes an empty project and installs the packed package in it. `remove` deletes the project.
 *
 * @param {Record<string, unknown>} [more]
 */
export async function project(more = {}) {
  const folder = await mkdtemp(join(tmpdir(), "refsync-project-"));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const root = join(folder, "project");
    await mkdir(root);
    const manifest = { name: "project", private: true, type: "module", ...more };
    await writeFile(join(root, "package.json"), JSON.stringify(manifest));
    const tarball = await pack(folder);
    await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball.path], { cwd: root });
    return { root, tarball, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
