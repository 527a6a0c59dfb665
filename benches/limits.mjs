// The limits of the engine, and whether a run met them.
import { median } from "./measure.mjs";

/**
 * @import { CatchUp, Cost, Result, Row } from "./types.mjs"
 * @typedef {{ name: string, most: number, digits?: number, value: (result: Result) => number | undefined }} Limit
 */

/**
 * Each limit: its name, the highest allowed value, and the measured value; `undefined` if a repository cannot show it.
 * `of(work, who)` returns the costs of one contestant.
 *
 * @type {Limit[]}
 */
const limits = [
  {
    name: "first sync: wall ÷ `git fetch` into the destination",
    most: 1.1,
    value: ({ of }) => ratio(of("first", "refsync"), of("first", "fetch"), "wall"),
  },
  {
    name: "first sync: wall ÷ mirror clone + mirror push",
    most: 0.55,
    value: ({ of }) => ratio(of("first", "refsync"), of("first", "mirror"), "wall"),
  },
  {
    name: "20 new commits: wall ÷ `git push` from the source",
    most: 2,
    value: ({ of }) => ratio(of("commits", "refsync"), of("commits", "push"), "wall"),
  },
  {
    name: "20 new commits: the part after start-up ÷ `git push`",
    most: 1.2,
    value: ({ of }) => ratio(of("commits", "refsync"), of("commits", "push"), "afterStart", "wall"),
  },
  {
    name: "first sync: peak memory, MB",
    most: 160,
    digits: 0,
    value: ({ of }) => of("first", "refsync")?.memory,
  },
  {
    name: "first sync: CPU ÷ the mirror way's",
    most: 0.15,
    value: ({ of }) => ratio(of("first", "refsync"), of("first", "mirror"), "cpu"),
  },
  {
    name: "nothing new, 100,000 refs: wall ÷ two `git ls-remote`",
    most: 2,
    value: ({ of, refCount }) =>
      refCount < 100_000 ? undefined : ratio(of("nothing", "refsync"), of("nothing", "lsRemote"), "wall"),
  },
  ...wireLimits("first", "first sync"),
  ...wireLimits("commits", "20 new commits"),
];

/**
 * @param {import("./types.mjs").Work["id"]} work
 * @param {string} name
 * @returns {Limit[]}
 */
function wireLimits(work, name) {
  return [
    {
      name: `${name}: bytes from the source ÷ \`git fetch\`'s`,
      most: 1.02,
      value: ({ of }) => ratio(of(work, "refsync"), of(work, "fetch"), "fromSource"),
    },
    {
      name: `${name}: bytes to the destination ÷ \`git push\`'s`,
      most: 1.02,
      value: ({ of }) => ratio(of(work, "refsync"), of(work, "push"), "toDestination"),
    },
  ];
}

/**
 * A table of the limits, with a column for each result. Values over their limit are bold.
 *
 * @param {Result[]} results
 */
export function limitsTable(results) {
  const rows = limits.map(({ name, most, digits = 2, value }) => {
    const values = results.map(value);
    return [name, most, ...values.map((v) => verdict(v, most, digits))];
  });
  rows.push(...memoryGrowth(results));
  const head = ["measure", "at most", ...results.map((result) => result.name)];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/**
 * A table of the catch-ups: the memory that each one used, and its limit.
 *
 * @param {CatchUp[]} catchUps
 */
export function catchUpTable(catchUps) {
  const head = ["catch-up of one branch", "peak MB at most", "peak MB", "wall s"];
  const rows = catchUps.map(({ commits, most, memory, wall }) => [
    `${commits.toLocaleString("en")} commits`,
    ...[most, verdict(memory, most, 0), wall.toFixed(1)],
  ]);
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/**
 * How much more memory the largest pack needs than the smallest pack above 50 MB.
 *
 * @param {Result[]} results
 */
function memoryGrowth(results) {
  const large = results.filter((r) => r.packBytes > 50e6 && r.of("first", "refsync"));
  const [least, most] = [large.at(0), large.at(-1)].toSorted((a, b) => (a?.packBytes ?? 0) - (b?.packBytes ?? 0));
  const [before, after] = [least?.of("first", "refsync"), most?.of("first", "refsync")];
  if (!least || !before || !after || least === most) return [];
  const growth = after.memory - before.memory;
  const cells = results.map((result) => (result === most ? verdict(growth, 16, 0) : "–"));
  return [[`first sync: peak memory above that of ${least.name}, MB`, 16, ...cells]];
}

/**
 * @param {number | undefined} value
 * @param {number} most
 * @param {number} digits
 */
function verdict(value, most, digits) {
  if (value === undefined) return "–";
  return value <= most ? `${value.toFixed(digits)} met` : `**${value.toFixed(digits)} missed**`;
}

/**
 * The median of the rounds' ratios. If the machine is slow for some rounds, it slows both sides of these rounds.
 *
 * @param {Row | undefined} ours
 * @param {Row | undefined} theirs
 * @param {keyof Cost} key
 * @param {keyof Cost} [theirKey]
 */
function ratio(ours, theirs, key, theirKey = key) {
  if (!ours || !theirs) return undefined;
  return median(ours.rounds.map((cost, round) => cost[key] / (theirs.rounds[round]?.[theirKey] ?? Number.NaN)));
}
