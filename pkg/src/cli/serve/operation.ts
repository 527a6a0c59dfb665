/**
 * The flags that `serve` and `worker` share, as options of the service.
 *
 * @module
 */

import type { DataFolder } from "../../node/data-folder/data-folder.js";
import type { AddressPolicyOptions } from "../../node/http/address-policy.js";
import { type GuardedFetch, guardedFetch } from "../../node/http/guarded-fetch.js";
import { lineLog } from "../../node/log.js";
import type { LogRecord, ServiceOptions } from "../../service.js";
import { secretKeys } from "../secret-keys.js";
import type { WorkFlags } from "./at-work.js";

/** The options that result from the flags. */
export interface Operation {
  fetch: GuardedFetch;
  /** The addresses that upstreams and webhooks may have. */
  network: AddressPolicyOptions;
  /** Options of the service from the flags, the environment and the data folder. */
  options: Pick<ServiceOptions, "fetch" | "secretKey" | "previousSecretKeys" | "acceptLostKey" | "record">;
  /** Reports a problem to the operator. */
  complain(line: string): void;
}

/** Reads the flags, and the keys of the environment and of the data folder, if any. Throws if one is invalid. */
export function operation(flags: WorkFlags, folder: DataFolder | null): Operation {
  const { allowPrivateNetwork, allowRange: allow, log: format, acceptLostKey } = flags;
  const network = { allowPrivateNetwork, ...(allow && { allow }) };
  const fetch = guardedFetch(network);
  const record: (record: LogRecord) => void = lineLog(format && { format });
  return {
    fetch,
    network,
    options: { fetch, ...secretKeys(folder), acceptLostKey, record },
    complain: (message) => record({ event: "trouble", message }),
  };
}
