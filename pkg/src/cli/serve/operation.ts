/**
 * How an operator runs a service: the flags that `serve` and `worker` share, as options of the service.
 *
 * @module
 */

import type { DataFolder } from "../../node/data-folder/data-folder.js";
import type { AddressPolicyOptions } from "../../node/http/address-policy.js";
import { type GuardedFetch, guardedFetch } from "../../node/http/guarded-fetch.js";
import { lineLog } from "../../node/log.js";
import type { LogRecord, ServiceOptions } from "../../service.js";
import { secretKeys } from "../secret-keys.js";

/** What the command line says of it. */
export interface OperationFlags {
  allowPrivateNetwork: boolean;
  /** Ranges in CIDR notation. */
  allowRange?: string[];
  /** The service's address as others know it. */
  publicUrl?: string;
  /** Lines as JSON or as text; text on a terminal when left out. */
  log?: "json" | "text";
  acceptLostKey: boolean;
  acceptLostRepositories: boolean;
}

/** What it comes to. */
export interface Operation {
  fetch: GuardedFetch;
  /** Which addresses upstreams and webhooks may have. */
  network: AddressPolicyOptions;
  /** Options of the service that the flags, the environment and the data folder decide. */
  options: Pick<ServiceOptions, "fetch" | "secretKey" | "previousSecretKeys" | "acceptLostKey" | "record">;
  /** Tells the operator of trouble. */
  complain(line: string): void;
}

/** Reads the flags, and the keys of the environment and of the data folder, if any. Throws where one of them is none. */
export function operation(flags: OperationFlags, folder: DataFolder | null): Operation {
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
