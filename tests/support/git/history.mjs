/** A repository like that of a grown project, made by `git fast-import`. It is the same on every machine. */

import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Fills the bare repository in `folder`: `commits` on `main`, with a merge of a side branch after each ten, a branch
 * `release/N` and a lightweight or an annotated tag `vN.0` after each hundred.
 *
 * @param {string} folder
 * @param {number} commits
 */
export async function grow(folder, commits) {
  await fastImport(folder, stream(commits));
}

/**
 * Fills the bare repository in `folder` with commits whose pack has about this many bytes. Their files do not compress.
 *
 * @param {string} folder
 * @param {number} bytes
 */
export async function growNoise(folder, bytes) {
  const each = 100_000;
  const parts = [];
  let state = 7;
  for (let n = 0; n * each < bytes; n++) {
    const words = new Uint32Array(each / 4);
    for (let i = 0; i < words.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      words[i] = state ^ (state >>> 15);
    }
    const text = Buffer.from(words.buffer).toString("base64");
    const who = `A <a@example.org> ${1_600_000_000 + n} +0000`;
    parts.push(`commit refs/heads/main\ncommitter ${who}\ndata 1\nx\n`);
    parts.push(`M 100644 inline file-${n}\ndata ${text.length}\n${text}\n`);
  }
  await fastImport(folder, parts.join(""));
}

/**
 * Imports the stream into the bare repository in `folder`.
 *
 * @param {string} folder
 * @param {string} text
 */
export async function fastImport(folder, text) {
  const git = spawn("git", ["fast-import", "--quiet", "--force"], {
    cwd: folder,
    stdio: ["pipe", "inherit", "inherit"],
  });
  const ended = once(git, "exit");
  git.stdin.end(text);
  const [code] = await ended;
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
}

/** @param {number} commits */
function stream(commits) {
  /** @type {string[]} */
  const parts = [];
  let time = 1_600_000_000;
  const who = () => {
    time += 60;
    return `A <a@example.org> ${time} +0000`;
  };
  /** @param {string} text */
  const data = (text) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  /**
   * @param {string} branch
   * @param {number} mark
   * @param {string} text
   * @param {string} extra
   * @param {string} files
   */
  const commit = (branch, mark, text, extra, files) =>
    parts.push(`commit refs/heads/${branch}\nmark :${mark}\ncommitter ${who()}\n${data(text)}${extra}${files}\n`);
  /** @param {number} n */
  const file = (n) =>
    `M 100644 inline src/part-${n % 40}.txt\n${data(`revision ${n}\n${"words that stay\n".repeat(n % 90)}`)}`;
  for (let n = 1; n <= commits; n++) {
    const from = n > 1 ? `from :${n - 1}\n` : "";
    if (n % 10 === 0) {
      commit("side", 1_000_000 + n, `side of ${n}`, `from :${n - 1}\n`, file(n + 7));
      commit("main", n, `merge ${n}`, `from :${n - 1}\nmerge :${1_000_000 + n}\n`, file(n));
    } else commit("main", n, `commit ${n}`, from, file(n));
    if (n % 100 === 0) {
      parts.push(`reset refs/heads/release/${n / 100}\nfrom :${n}\n\n`);
      if (n % 200 === 0) parts.push(`tag v${n / 100}.0\nfrom :${n}\ntagger ${who()}\n${data(`version ${n / 100}`)}`);
      else parts.push(`reset refs/tags/v${n / 100}.0\nfrom :${n}\n\n`);
    }
  }
  return parts.join("");
}
