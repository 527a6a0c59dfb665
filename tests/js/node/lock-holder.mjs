// Locks a data folder like a service, and writes to a file every 20 ms while it has the lock. The tests of the lock start
// it. `node lock-holder.mjs FOLDER NAME WAIT`. Its lines on stdout: `held`, `refused MESSAGE`, `lost MESSAGE`.
import { appendFileSync } from "node:fs";
import { join } from "node:path";

import { lockFolder } from "../../../pkg/dist/node/data-folder/lock.js";

const [folder = "", name = "", wait = "0", mode = "exclusive"] = process.argv.slice(2);
/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);
try {
  const lock = await lockFolder(folder, {
    mode: mode === "shared" ? "shared" : "exclusive",
    wait: Number(wait),
    onWait: (message) => say(`waits ${message}`),
    onLost: (error) => {
      say(`lost ${error.message}`);
      process.exit(3);
    },
    // A tenth of a service's value.
    timing: { beat: 200, lease: 1_000, watch: 1_500 },
  });
  process.once("SIGTERM", async () => {
    clearInterval(writing);
    await lock.release();
    process.exit(0);
  });
  const writing = setInterval(() => {
    try {
      lock.check();
    } catch {
      return;
    }
    appendFileSync(join(folder, "written"), `${name} ${performance.timeOrigin + performance.now()}\n`);
  }, 20);
  // After the handler is there: the first process of a namespace ignores a signal without a handler.
  say("held");
} catch (error) {
  say(`refused ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
}
