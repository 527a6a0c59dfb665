import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * An empty folder. It is removed when the test ends.
 *
 * @param {import("node:test").TestContext} t
 */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "refsync-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}
