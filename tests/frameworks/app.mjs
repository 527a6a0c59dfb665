// An app of a framework: copied out of this folder, with the framework and the packed package installed by npm.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { transform } from "esbuild";

import { fileOf } from "../js/docs/checks.mjs";
import { blocksIn, documents, textOf } from "../js/docs/documents.mjs";
import { listen } from "../support/network/listen.mjs";
import { pack } from "../support/package/packed.mjs";

/** How long an app may take until it answers, in milliseconds. */
const START = 60_000;

/** The frameworks send no statistics, and ask nothing. */
const silent = { NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1", CI: "1" };

/**
 * Makes the app that `name` describes.
 *
 * @param {string} name
 * @param {Record<string, string>} variables The app's environment, besides this process's own.
 */
export async function app(name, variables) {
  const folder = await mkdtemp(join(tmpdir(), `refsync-${name}-`));
  const root = join(folder, "app");
  // A framework reads NODE_ENV, and a test runner's variables concern only its own children.
  const { NODE_ENV: _, NODE_TEST_CONTEXT: __, ...own } = process.env;
  const env = { ...own, ...variables, ...silent };
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });

  /**
   * Runs a command to its end. Throws its output if it fails.
   *
   * @param {string[]} command
   * @param {Record<string, string>} [more]
   */
  const run = async ([program = "", ...args], more = {}) => {
    const child = spawn(program, args, { cwd: root, env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${output}`);
    return output;
  };

  try {
    await cp(fileURLToPath(new URL(name, import.meta.url)), root, { recursive: true });
    await copyGuide(name, root);
    const { path } = await pack(folder);
    // The package is not in the app's package.json, so a framework that bundles development dependencies bundles it.
    await run(["npm", "install", "--no-save", "--no-audit", "--no-fund", path]);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    root,
    run,
    remove,
    /**
     * Starts the built app on a free port. Resolves when it answers.
     *
     * @param {string[]} args Node's arguments.
     * @param {Record<string, string>} [more]
     */
    start: async (args, more = {}) => {
      const port = await freePort();
      const address = { PORT: String(port), HOST: "127.0.0.1", HOSTNAME: "127.0.0.1" };
      const child = spawn(process.execPath, args, {
        cwd: root,
        env: { ...env, NODE_ENV: "production", ...address, ...more },
        stdio: ["ignore", "pipe", "pipe"],
        // A group of its own, because a framework may start processes.
        detached: true,
      });
      let log = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => {
          log += text;
        });
      }
      const ended = once(child, "exit");
      const stop = async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        process.kill(-Number(child.pid), "SIGKILL");
        await ended;
      };
      const origin = `http://127.0.0.1:${port}`;
      const deadline = Date.now() + START;
      while (!(await answers(origin))) {
        if (child.exitCode !== null || Date.now() > deadline) {
          await stop();
          throw new Error(`${args.join(" ")} does not answer:\n${log}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return { origin, stop, log: () => log };
    },
  };
}

/**
 * Adds the programs of the framework's guide to the app. The app keeps its own files. A framework without TypeScript gets
 * JavaScript.
 *
 * @param {string} name
 * @param {string} root
 */
async function copyGuide(name, root) {
  const guide = `docs/guides/${name}.md`;
  if (!documents.includes(guide)) return;
  for (const { language, text } of blocksIn(textOf(guide))) {
    const file = fileOf(text);
    if (file === undefined) continue;
    const path = join(root, language === "svelte" ? file : file.replace(/\.tsx?$/, ".js"));
    if (existsSync(path)) continue;
    await mkdir(dirname(path), { recursive: true });
    const loader = /** @type {"js" | "ts" | "tsx"} */ (language);
    await writeFile(path, language === "svelte" ? text : (await transform(text, { loader, jsx: "preserve" })).code);
  }
}

/** @param {string} origin */
function answers(origin) {
  return fetch(`${origin}/does-not-exist`).then(
    () => true,
    () => false,
  );
}

async function freePort() {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}
