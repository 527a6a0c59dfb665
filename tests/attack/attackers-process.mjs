// Runs the attackers in a process of their own, so that their work does not slow down the measurement. The process reports
// where its servers are. One message starts the tenant, and another one stops everything.
import { once } from "node:events";
import { setPriority } from "node:os";

import { askForEverything, hostileReceivers, hostileUpstreams, pullForEver } from "./attackers.mjs";
import { caller } from "./caller.mjs";

/**
 * @typedef {{ upstreams: { name: string, url: string }[], receivers: string[] }} Ready
 * @typedef {{ url: string, org: string, key: string }} Tenant
 * @typedef {{ runs: number, plans: number, calls: number, texts: string[] }} Told
 */

/** @param {Ready | Told} message */
const tell = (message) => process.send?.(message);

// Attackers have machines of their own, which do not share cores with the service.
setPriority(10);
const { upstreams, close: closeUpstreams } = await hostileUpstreams();
const receivers = await hostileReceivers();
tell({ upstreams: upstreams.map(({ name, url }) => ({ name, url })), receivers: receivers.urls });

const [{ url, org, key }] = /** @type {[Tenant]} */ (await once(process, "message"));
const over = new AbortController();
process.once("message", () => over.abort());
const names = upstreams.map(({ name }) => name);
/** Each answer once: five minutes of calls have many equal ones. @type {Set<string>} */
const texts = new Set();
const { signal } = over;
const call = caller(url, org, key, signal);
const [pulled, calls] = await Promise.all([
  pullForEver({ call, names, signal, keep: (text) => void texts.add(text) }),
  askForEverything({ url, org, key, names, signal }),
]);
closeUpstreams();
receivers.close();
// The channel must not close before a message of many megabytes is sent.
process.send?.({ ...pulled, calls, texts: [...texts] }, () => process.disconnect());
