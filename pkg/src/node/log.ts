/**
 * The service's records as lines: JSON for machines, or text for people.
 *
 * @module
 */

import { refuseUnknown } from "../options.js";
import type { LogRecord } from "../service.js";
import { printable } from "./printable.js";

/** The options of `lineLog`. */
export interface LogOptions {
  /** A JSON object for each line, or text. Default: text on a terminal, else JSON. */
  format?: "json" | "text";
  /** The stream that gets the lines: its `write` is called, and `isTTY` says whether it is a terminal. Default: `process.stderr`. */
  stream?: { write(text: string): unknown; isTTY?: boolean };
}

/**
 * Makes a function for the service's option `record`. It writes each record as a line.
 *
 * @throws `InvalidRequestError` if an option is unknown.
 * @example
 * ```ts
 * import { lineLog } from "refsync/node";
 * import { Service } from "refsync/service";
 *
 * const logged = new Service({ ...options, record: lineLog({ format: "json" }) });
 * ```
 */
export function lineLog(options: LogOptions = {}): (record: LogRecord) => void {
  refuseUnknown("lineLog", options, { format: true, stream: true } satisfies Record<keyof LogOptions, true>);
  const { stream = process.stderr, format } = options;
  const line = (format ?? (stream.isTTY ? "text" : "json")) === "json" ? jsonLine : textLine;
  return (record) => void stream.write(`${withoutSecrets(line(record, new Date()))}\n`);
}

/** One object, `time` first. */
function jsonLine(record: LogRecord, time: Date): string {
  return JSON.stringify({ time: time.toISOString(), level: level(record), ...record });
}

/** The time, the event, the result and the duration; then the error, and the trace id if there was one. */
function textLine(record: LogRecord, time: Date): string {
  const trouble = level(record) === "info" ? "" : "! ";
  const error = "error" in record && record.error ? `: ${record.error} [${record.trace_id}]` : "";
  return printable(`${time.toISOString().slice(11, 23)} ${trouble}${words(record)}${error}`);
}

function words(record: LogRecord): string {
  switch (record.event) {
    case "request":
      return `${record.method} ${record.path} ${record.status} ${record.duration_ms} ms`;
    case "sync": {
      const { direction, org, repo, attempt, status, refs, duration_ms } = record;
      const counts = Object.entries(refs ?? {}).filter(([, count]) => count > 0);
      const outcome = counts.map(([word, count]) => `, ${count} ${word}`).join("");
      return `${direction} ${org}/${repo} attempt ${attempt} ${status}${outcome} ${duration_ms} ms`;
    }
    case "webhook":
      return `webhook ${record.target_id} ${record.type} attempt ${record.attempt} ${record.status} ${record.duration_ms} ms`;
    case "trouble":
      return record.message;
  }
}

function level(record: LogRecord): "info" | "warn" | "error" {
  if (record.event === "trouble") return "warn";
  if (record.event === "request") return record.status >= 500 ? "error" : "info";
  return "error" in record && record.error ? "warn" : "info";
}

/**
 * The last of several guards. Records are made without credentials, so this finds one only after a mistake elsewhere. It recognises the
 * service's own credentials by their prefixes, and any credential in a URL.
 */
function withoutSecrets(line: string): string {
  return line
    .replace(/\b(refsync_[0-9a-f]{24}_|mesa_private_key_|whsec_)[\w-]+/g, "$1[hidden]")
    .replace(/(\bhttps?:\/\/)[^/\s"@]+@/g, "$1[hidden]@")
    .replace(/\b(Basic|Bearer) [\w.~+/=-]{8,}/gi, "$1 [hidden]");
}
