/**
 * Texts that the service makes of JSON: the WebAssembly build has the facts, and this package the words.
 *
 * @module
 */
import { badge } from "./badge.js";
import { repoMetrics } from "./metrics.js";
import { deliveryFor, type Format } from "./sentence.js";

/** `Runtime::render` of `service/host.rs`. */
export function render(kind: Format | "badge" | "metrics", json: string): string {
  if (kind === "badge") return badge(JSON.parse(json));
  if (kind === "metrics") return repoMetrics(JSON.parse(json));
  return deliveryFor(kind, json);
}
