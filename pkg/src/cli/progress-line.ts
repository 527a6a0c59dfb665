/**
 * One line on a terminal that says how far a sync is.
 *
 * @module
 */

import type { WriteStream } from "node:tty";

import type { Progress } from "../engine.js";

/** Shows progress where `stream` is a terminal, and nothing elsewhere. The pack's size is not known before its end. */
export function progressLine(stream: WriteStream): { show: (progress: Progress) => void; clear: () => void } {
  if (!stream.isTTY) return { show: () => {}, clear: () => {} };
  let shown = 0;
  const clear = () => {
    if (shown > 0) stream.write("\r\u001b[K");
    shown = 0;
  };
  return {
    show({ phase, bytes, objects }) {
      const now = performance.now();
      // Ten times a second is as much as an eye takes in.
      if (now - shown < 100) return;
      const count = objects ? `, ${objects.toLocaleString("en")} objects` : "";
      stream.write(`\r\u001b[K${phase}${count}${bytes > 0 ? `, ${size(bytes)}` : ""}`);
      shown = now;
    },
    clear,
  };
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
