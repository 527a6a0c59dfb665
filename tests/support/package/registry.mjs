/**
 * An npm registry on loopback: it has the packed package, and the packages that are installed in this workspace. So a test
 * can type `npm install refsync pg` like a user, before anything is published and without a network.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { pack } from "./packed.mjs";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * @typedef {{ name: string, version: string }} Manifest
 * @typedef {{ manifest: Manifest, folder?: string, tarball?: string }} Release What a tarball is made from, or the tarball.
 */

/** Starts a registry. `url` is its address, and `close` stops it. */
export async function registry() {
  const staging = await mkdtemp(join(tmpdir(), "refsync-registry-"));
  try {
    const releases = [await packed(staging), ...(await installed())];
    const server = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url ?? "/", "http://registry").pathname).slice(1);
      const [name = "", version] = path.split("/-/");
      const found = releases.filter(({ manifest }) => manifest.name === name);
      const release = found.find(({ manifest }) => manifest.version === version);
      if (release) return void sendTarball(release, staging, response);
      const isPackage = found.length > 0 && version === undefined;
      response.writeHead(isPackage ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(isPackage ? packument(found, url) : { error: `${path} is not in this workspace` }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = /** @type {import("node:net").AddressInfo} */ (server.address());
    const url = `http://127.0.0.1:${address.port}`;
    return {
      url,
      close: async () => {
        server.closeAllConnections();
        server.close();
        await rm(staging, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/**
 * @param {string} staging
 * @returns {Promise<Release>}
 */
async function packed(staging) {
  const { path: tarball } = await pack(staging);
  return { manifest: await manifestIn(join(ROOT, "pkg")), tarball };
}

/**
 * Every version of every package in `node_modules`.
 *
 * @returns {Promise<Release[]>}
 */
async function installed() {
  const lock = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8"));
  const folders = Object.keys(lock.packages).filter(
    (path) => path.includes("node_modules/") && !lock.packages[path].link,
  );
  const found = folders.map(async (path) => {
    const folder = join(ROOT, path);
    // Packages for other systems are in the lock file, but not on the disk.
    const manifest = await manifestIn(folder).catch(() => null);
    return manifest === null ? [] : [{ manifest, folder }];
  });
  return (await Promise.all(found)).flat();
}

/**
 * @param {string} folder
 * @returns {Promise<Manifest>}
 */
async function manifestIn(folder) {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
}

/**
 * A registry's data about a package. The newest version is the latest.
 *
 * @param {Release[]} releases
 * @param {string} url
 */
function packument(releases, url) {
  const manifests = releases.map(({ manifest }) => manifest);
  const versions = manifests.map(({ version }) => version).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const entry = (/** @type {Manifest} */ manifest) => {
    const tarball = `${url}/${encodeURIComponent(manifest.name)}/-/${manifest.version}`;
    return [manifest.version, { ...manifest, dist: { tarball } }];
  };
  return {
    name: manifests[0]?.name,
    "dist-tags": { latest: versions.at(-1) },
    versions: Object.fromEntries(manifests.map(entry)),
  };
}

/**
 * @param {Release} release
 * @param {string} staging
 * @param {import("node:http").ServerResponse} response
 */
async function sendTarball({ folder, tarball }, staging, response) {
  response.writeHead(200, { "content-type": "application/octet-stream" });
  if (tarball !== undefined) return createReadStream(tarball).pipe(response);
  const stage = await mkdtemp(join(staging, "stage-"));
  await symlink(/** @type {string} */ (folder), join(stage, "package"));
  // `-h` packs the folder itself instead of the link. Its own node_modules are other packages.
  const tar = spawn("tar", ["-c", "-h", "-f", "-", "--exclude", "node_modules", "-C", stage, "package"]);
  return tar.stdout.pipe(response);
}
