/**
 * Shows the progress of a sync: a bar on a terminal, else a line every few seconds.
 *
 * @module
 */

import type { WriteStream } from "node:tty";

import type { Phase, Progress } from "../../engine.js";

/** Shows progress. `clear` removes it, to make room for the result. */
export interface ProgressLine {
  show(progress: Progress): void;
  clear(): void;
}

/** A bar if `stream` is a terminal, else a line every five seconds, so that short syncs print none. */
export function progressLine(stream: WriteStream): ProgressLine {
  return stream.isTTY ? bar(stream) : lines(stream);
}

/** The bar counts phases, because the size of a pack is not known before its end. */
function bar(stream: WriteStream): ProgressLine {
  let shown: { update(step: number, words: { words: string }): void; stop(): void } | undefined;
  let latest: Progress | undefined;
  let cleared = false;
  const update = () => latest && !cleared && shown?.update(phases.indexOf(latest.phase), { words: words(latest) });
  // Loaded while the sync runs, and only for a terminal.
  void import("cli-progress").then(({ default: { Presets, SingleBar } }) => {
    if (cleared) return;
    const format = "{bar} {words}";
    const single = new SingleBar(
      { stream, format, barsize: 4 * phases.length, clearOnComplete: true, hideCursor: true, gracefulExit: false },
      Presets.shades_classic,
    );
    single.start(phases.length, 0, { words: latest ? words(latest) : "" });
    shown = single;
    update();
  });
  return {
    show(progress) {
      latest = progress;
      update();
    },
    clear() {
      cleared = true;
      shown?.stop();
    },
  };
}

function lines(stream: WriteStream): ProgressLine {
  let last = performance.now();
  return {
    show(progress) {
      if (performance.now() - last < 5000) return;
      last = performance.now();
      stream.write(`${words(progress)}\n`);
    },
    clear() {},
  };
}

/** The text for a report: the phase, the pack's objects and bytes, and its speed. */
export function words({ phase, objects, bytes, bytes_per_second: rate }: Progress): string {
  const count = objects ? `${grouped(objects)} objects` : "";
  const parts = [phase, count, bytes > 0 ? size(bytes) : "", rate ? `${size(rate)}/s` : ""];
  return parts.filter(Boolean).join(", ");
}

/** With commas between thousands. `toLocaleString` does so too, once it has loaded its languages for some 10 ms. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

function size(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const phases: readonly Phase[] = ["listing", "proving", "transferring", "storing"];
