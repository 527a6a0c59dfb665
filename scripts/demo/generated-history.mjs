// Generates the history of a small project as a stream for `git fast-import`. It is the same each time.

const commits = 50;
const firstDay = Date.UTC(2025, 0, 6) / 1000;

/** The stream. `main` has 50 commits. `release/1` and `release/2` branch off and have further commits. Each branch has tags. */
export function generated() {
  /** @type {string[]} */
  const lines = [];
  let mark = 0;
  /**
   * @param {string} branch
   * @param {string} message
   * @param {string} path
   * @param {string} content
   * @param {number} [from]
   */
  const commit = (branch, message, path, content, from) => {
    mark += 1;
    const when = `Ada Example <ada@example.com> ${firstDay + mark * 43_200} +0000`;
    lines.push(`commit refs/heads/${branch}`, `mark :${mark}`, `author ${when}`, `committer ${when}`, data(message));
    if (from) lines.push(`from :${from}`);
    lines.push(`M 100644 inline ${path}`, data(content));
    return mark;
  };
  const marks = [];
  for (let day = 1; day <= commits; day += 1) {
    const part = parts[day % parts.length];
    const text = Array.from({ length: day }, (_, line) => `${part}: step ${line + 1}\n`).join("");
    marks.push(commit("main", `${part}: step ${day}\n`, `${part}.txt`, text));
  }
  for (const { number, at } of [
    { number: 1, at: 20 },
    { number: 2, at: 40 },
  ]) {
    const fix = commit(
      `release/${number}`,
      "release: fix what was found\n",
      "CHANGES.txt",
      `${number}.0.1\n`,
      marks[at],
    );
    const tagger = `Ada Example <ada@example.com> ${firstDay + (at + 1) * 43_200} +0000`;
    lines.push(`tag v${number}.0.0`, `from :${marks[at]}`, `tagger ${tagger}`, data(`Version ${number}.0.0\n`));
    lines.push(`reset refs/tags/v${number}.0.1-rc.1`, `from :${fix}`, "");
  }
  return `${lines.join("\n")}\ndone\n`;
}

/** @param {string} text */
function data(text) {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

const parts = ["reader", "writer", "index", "docs"];
