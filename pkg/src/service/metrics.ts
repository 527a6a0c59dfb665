/**
 * Metrics in Prometheus's text format: counters and histograms of this process, and gauges of repositories.
 *
 * @module
 */
import type { ServiceEngine } from "./engine.js";
import type { LogRecord } from "./options.js";

type Labels = Record<string, string>;

/** Counters and histograms of this process. They begin at 0 when it starts. */
export class Counters {
  readonly #families = new Map<string, Family>();

  constructor() {
    for (const [name, help, buckets] of families) this.#families.set(name, new Family(name, help, buckets));
  }

  /** Counts what a record tells. */
  record(record: LogRecord): void {
    switch (record.event) {
      case "request": {
        const { method, route, status } = record;
        this.#add("refsync_http_requests_total", { method, route, status: String(status) });
        this.#add("refsync_http_request_duration_seconds", { route }, record.duration_ms / 1000);
        break;
      }
      case "sync": {
        const { direction, status } = record;
        const refs: Record<string, number> = record.refs ?? {};
        this.#add("refsync_sync_attempts_total", { direction, status });
        if (status === "completed" || status === "failed") this.#add("refsync_syncs_total", { direction, status });
        this.#add("refsync_sync_duration_seconds", { direction }, record.duration_ms / 1000);
        for (const [outcome, count] of Object.entries(refs)) {
          this.#add("refsync_sync_refs_total", { direction, outcome }, count);
        }
        break;
      }
      case "webhook":
        this.#add("refsync_webhook_deliveries_total", { status: record.status });
        this.#add("refsync_webhook_delivery_duration_seconds", {}, record.duration_ms / 1000);
        break;
    }
  }

  /** The same engine, whose bytes are counted. */
  engine(engine: ServiceEngine): ServiceEngine {
    return {
      findRef: (remote, refName) => engine.findRef(remote, refName),
      ...(engine.backups && { backups: engine.backups.bind(engine) }),
      sync: async (task, report, signal) => {
        let bytes = 0;
        const counted = (progress: string) => {
          const now: number = JSON.parse(progress).bytes;
          // A sync may send several packs, one after the other.
          this.#add("refsync_sync_pack_bytes_total", {}, now >= bytes ? now - bytes : now);
          bytes = now;
          report(progress);
        };
        return engine.sync(task, counted, signal);
      },
    };
  }

  /** Everything in Prometheus's text format. */
  text(): string {
    return [...this.#families.values()].map((family) => family.text()).join("");
  }

  #add(name: string, labels: Labels, value = 1): void {
    this.#families.get(name)?.add(labels, value);
  }
}

/** A counter, or a histogram if it has buckets, with all of its label values. */
class Family {
  readonly #name: string;
  readonly #help: string;
  readonly #buckets: readonly number[] | undefined;
  readonly #series = new Map<string, { sum: number; count: number; below: number[] }>();

  constructor(name: string, help: string, buckets: readonly number[] | undefined) {
    [this.#name, this.#help, this.#buckets] = [name, help, buckets];
  }

  add(labels: Labels, value: number): void {
    const key = Object.entries(labels)
      .map(([label, text]) => `${label}="${text}"`)
      .join();
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { sum: 0, count: 0, below: (this.#buckets ?? []).map(() => 0) };
      this.#series.set(key, series);
    }
    series.sum += value;
    series.count += 1;
    const at = this.#buckets?.findIndex((bound) => value <= bound) ?? -1;
    if (at >= 0) series.below[at] = (series.below[at] ?? 0) + 1;
  }

  text(): string {
    const name = this.#name;
    const lines = [`# HELP ${name} ${this.#help}`, `# TYPE ${name} ${this.#buckets ? "histogram" : "counter"}`];
    for (const [labels, { sum, count, below }] of this.#series) {
      const plain = labels && `{${labels}}`;
      if (this.#buckets === undefined) {
        lines.push(`${name}${plain} ${sum}`);
        continue;
      }
      let total = 0;
      const bucket = (bound: string, n: number) =>
        lines.push(`${name}_bucket{${labels && `${labels},`}le="${bound}"} ${n}`);
      for (const [at, bound] of this.#buckets.entries()) {
        total += below[at] ?? 0;
        bucket(String(bound), total);
      }
      bucket("+Inf", count);
      lines.push(`${name}_sum${plain} ${sum}`, `${name}_count${plain} ${count}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

const families: [name: string, help: string, buckets?: number[]][] = [
  ["refsync_http_requests_total", "Requests that this process has answered, without probes."],
  [
    "refsync_http_request_duration_seconds",
    "Until the head of the answer was ready.",
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  ],
  ["refsync_sync_attempts_total", "Attempts of runs that ended in this process."],
  ["refsync_syncs_total", "Runs that completed or failed in this process."],
  ["refsync_sync_duration_seconds", "How long attempts took.", [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600]],
  ["refsync_sync_refs_total", "Refs of completed runs, by their outcome."],
  ["refsync_sync_pack_bytes_total", "Bytes of packs that went from a source to a destination."],
  ["refsync_webhook_deliveries_total", "Webhook deliveries that this process has tried."],
  ["refsync_webhook_delivery_duration_seconds", "How long deliveries took.", [0.01, 0.05, 0.1, 0.5, 1, 5, 10]],
];

/** A row of `metrics_of_org.sql`. */
type RepoMetrics = { repo: string } & { [Name in keyof typeof gauges]: number | null };

/** The gauges of an organisation's repositories. The characters of names need no escape. */
export function repoMetrics({ org, repos }: { org: string; repos: RepoMetrics[] }): string {
  let text = "";
  for (const [name, help] of Object.entries(gauges) as [keyof typeof gauges, string][]) {
    const full = `refsync_upstream_${name}`;
    text += `# HELP ${full} ${help}\n# TYPE ${full} gauge\n`;
    for (const { repo, [name]: value } of repos) {
      if (value !== null) text += `${full}{org="${org}",repo="${repo}"} ${value}\n`;
    }
  }
  return text;
}

const gauges = {
  verified_timestamp_seconds: "The start of the last sync after which no ref differed, as seconds since 1970.",
  age_seconds: "The time since then.",
  max_age_seconds: "The highest age that is fresh.",
  stale: "Whether the repository is older than that.",
  behind_refs: "How many refs differed after the last sync of all refs.",
  paused: "Whether the schedule is paused.",
  last_sync_success: "Whether the last sync that ended has completed.",
  last_sync_timestamp_seconds: "When it ended, as seconds since 1970.",
};
