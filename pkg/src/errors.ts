/**
 * One class for each kind of error, so that a program can tell them apart with `instanceof`, or by `code`.
 *
 * @module
 */

import type { FieldError } from "./wasm/client/refsync.js";

/** The properties of an error besides its message. */
export interface ErrorInit {
  /** A stable word for a program to act on. */
  code: string;
  /** Whether the same call may succeed later. Default: false. */
  retryable?: boolean | undefined;
  /** The HTTP status of the answer, if there was one. */
  status?: number | undefined;
  /** The side of a sync that failed, if one did. */
  side?: "source" | "destination" | undefined;
  /** The `trace_id` for the service's operator. Default: none. */
  traceId?: string | undefined;
  /** Each bad field of the request. Default: none. */
  fields?: FieldError[] | undefined;
  /** How long the service asks to wait, in milliseconds. Default: it does not ask. */
  retryAfter?: number | undefined;
  /** The error that caused this one. Default: none. */
  cause?: unknown;
}

/**
 * Every error of this package. The page "Error codes" of the documentation lists every `code` with its remedy.
 *
 * @example
 * ```ts
 * import { RefsyncError } from "refsync";
 *
 * try {
 *   await client.repos.get({ repo: "app" });
 * } catch (error) {
 *   if (!(error instanceof RefsyncError)) throw error;
 *   console.error(error.code, error.retryable ? "try again later" : error.message);
 * }
 * ```
 */
export class RefsyncError extends Error {
  /** The name of its class. */
  override readonly name: string = "RefsyncError";
  /** A stable word for a program to act on, such as `NOT_FOUND` or `UPSTREAM_NOT_CONFIGURED`. */
  readonly code: string;
  /** Whether the same call may succeed later. The client has then tried again already. */
  readonly retryable: boolean;
  /** The HTTP status of the answer, if there was one. */
  readonly status: number | undefined;
  /** The `trace_id` for the service's operator. */
  readonly traceId: string | undefined;
  /** Each bad field of the request; empty for other errors. */
  readonly fields: readonly FieldError[];
  /** How long the service asks to wait before the next request, in milliseconds. */
  readonly retryAfter: number | undefined;

  /** Makes an error. Tests may make errors too. */
  constructor(message: string, init: ErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.retryable = init.retryable ?? false;
    this.status = init.status;
    this.traceId = init.traceId;
    this.fields = init.fields ?? [];
    this.retryAfter = init.retryAfter;
  }
}

/**
 * The request is wrong. Either the client found that before sending it (then there is no `status`), or the service did. See `fields`.
 */
export class InvalidRequestError extends RefsyncError {
  override readonly name = "InvalidRequestError";
}

/** The API key is missing or unknown (401). */
export class UnauthenticatedError extends RefsyncError {
  override readonly name = "UnauthenticatedError";
}

/** The API key does not allow the call (403). */
export class ForbiddenError extends RefsyncError {
  override readonly name = "ForbiddenError";
}

/** There is no such organisation, repository or sync (404). */
export class NotFoundError extends RefsyncError {
  override readonly name = "NotFoundError";
}

/** The call conflicts with the current state (409), for example because a name is taken, or with the code `UPSTREAM_NOT_CONFIGURED`. */
export class ConflictError extends RefsyncError {
  override readonly name = "ConflictError";
}

/** Too many requests (429). See `retryAfter`. */
export class RateLimitedError extends RefsyncError {
  override readonly name = "RateLimitedError";
}

/** The service failed (5xx). See `traceId`. */
export class ServerError extends RefsyncError {
  override readonly name = "ServerError";
}

/** There was no answer: the connection was refused or lost, or a browser blocked the call because CORS headers are missing. */
export class ConnectionError extends RefsyncError {
  override readonly name = "ConnectionError";
}

/** There was no answer in time, or a sync did not end within the time that `syncs.wait` was given. */
export class TimeoutError extends RefsyncError {
  override readonly name = "TimeoutError";
}

/** The caller's `AbortSignal` aborted; `cause` is its reason. */
export class AbortError extends RefsyncError {
  override readonly name = "AbortError";
}

/** The answer has a success status, but not the API's form. Mostly, the address is not the API's. */
export class InvalidResponseError extends RefsyncError {
  override readonly name = "InvalidResponseError";
}

/** A sync of the engine failed. The message names the side and the operation. */
export class SyncError extends RefsyncError {
  override readonly name = "SyncError";
  /** The side that failed, where it was one. */
  readonly side: "source" | "destination" | undefined;

  /** As {@link RefsyncError}'s. */
  constructor(message: string, init: ErrorInit) {
    super(message, init);
    this.side = init.side;
  }
}

const classes = {
  InvalidRequestError,
  UnauthenticatedError,
  ForbiddenError,
  NotFoundError,
  ConflictError,
  RateLimitedError,
  ServerError,
  ConnectionError,
  TimeoutError,
  AbortError,
  InvalidResponseError,
  SyncError,
};

/** An error of the WebAssembly code: a plain `Error` with the properties of a {@link RefsyncError}. */
interface PlainError extends Error, ErrorInit {
  retryable: boolean;
}

/** `error` with its class, if the WebAssembly code threw it; anything else, such as a callback's error, as it is. */
export function typed(error: unknown): unknown {
  if (!isPlain(error)) return error;
  const Class = (classes as Record<string, typeof RefsyncError | undefined>)[error.name] ?? RefsyncError;
  return new Class(error.message, error);
}

function isPlain(error: unknown): error is PlainError {
  return error instanceof Error && !(error instanceof RefsyncError) && "code" in error && "retryable" in error;
}
