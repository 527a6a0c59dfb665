// One of the processes of `processes.mjs`: `node process.mjs URL`. Works until SIGTERM. Its runs end at once.
import { openPostgres, work } from "refsync/node";

import { instantService } from "./data.mjs";

const database = await openPostgres(process.argv[2] ?? "");
const end = new AbortController();
process.once("SIGTERM", () => end.abort());
const onError = (/** @type {any} */ error) => {
  // Another process took the same place or repository at this moment.
  if (error?.code !== "23505") console.error(error);
};
await work(instantService(database), { concurrency: 4, signal: end.signal, onError }).stopped;
await database.close();
