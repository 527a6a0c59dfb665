/**
 * The receiver of webhooks.
 *
 * @module
 */
import { func, number, refuseWrong, wrongIn } from "../kinds.js";
import { refuseUnknown } from "../options.js";
import { type Envelope, type EventData, isKnown, knownEvents, type UnknownEvent, type WebhookEvent } from "./events.js";
import { LARGEST_BODY, type RawBody, signingKey, verifySignature } from "./signature.js";
import { WebhookError } from "./webhook-error.js";

/** A handler for each type of event. */
export type Handlers = {
  [Type in keyof EventData]?: (event: Envelope<Type, EventData[Type]>) => void | Promise<void>;
} & {
  /** Called with each event that has no handler of its own. Its type may be newer than this version. Default: such events are dropped. */
  other?: (event: WebhookEvent | UnknownEvent) => void | Promise<void>;
};

/** The options of a receiver. */
export interface WebhookOptions {
  /** The target's secret. While a secret is rotated, a list of all valid ones. */
  secret: string | readonly string[];
  /** The handlers of events. Default: none. */
  on?: Handlers;
  /**
   * Called with the error of a handler, and the event, before `respond` or the middleware answers 500. Default: `console.error`. After
   * the 500, the service sends the event again.
   */
  onError?: (error: unknown, event: WebhookEvent) => void | Promise<void>;
  /** The largest difference between the sender's clock and ours, in seconds. Default: 300. */
  tolerance?: number;
  /** How many ids are remembered, so that a repeated event is dropped. Default: 10,000. */
  remember?: number;
}

/** An answer to a delivery. */
export interface Answer {
  /** The HTTP status. */
  status: number;
  /** The body; empty if there is nothing to say. */
  text: string;
}

const known = { secret: true, on: true, onError: true, tolerance: true, remember: true } satisfies Record<
  keyof WebhookOptions,
  true
>;

/**
 * Receives the webhooks of one target, or of several targets with the same secrets.
 *
 * @example
 * ```ts
 * import { Webhooks } from "refsync/webhooks";
 *
 * const webhooks = new Webhooks({
 *   secret: process.env.WEBHOOK_SECRET ?? "",
 *   on: { "sync.failed": ({ repository, data }) => console.error(repository?.name, data.sync.error) },
 * });
 * export default { fetch: (request: Request) => webhooks.respond(request) };
 * ```
 */
export class Webhooks {
  readonly #options: WebhookOptions;
  /** Ids of events that were handled or are being handled, oldest first. */
  readonly #seen = new Set<string>();
  readonly #keys: Promise<CryptoKey[]>;

  /**
   * Makes a receiver.
   *
   * @throws `TypeError` if there is no secret: an empty one would let everybody in.
   * @throws `InvalidRequestError` if an option is unknown, or if there is a handler of an event that this version does not know. Handle
   * such events in `other`.
   */
  constructor(options: WebhookOptions) {
    refuseUnknown("Webhooks", options, known);
    refuseWrong("Webhooks", wrongIn(options, { onError: func, tolerance: number, remember: number }));
    refuseUnknown("Webhooks", options.on, { ...knownEvents, other: true }, "on.");
    const secrets = Array.isArray(options.secret) ? options.secret : [options.secret];
    if (secrets.length === 0 || secrets.some((secret) => typeof secret !== "string" || secret === "")) {
      throw new TypeError("Webhooks: secret is missing or empty, or not a string");
    }
    this.#options = options;
    this.#keys = Promise.all(secrets.map(signingKey));
  }

  /**
   * Checks the signature of a body, and returns its event. Calls no handler. `signature` is the header `x-mesa-signature`; `rawBody` is
   * the body before any parsing.
   *
   * @throws {@link WebhookError} if the service did not send this body.
   * @example
   * ```ts
   * const event = await webhooks.verify(await request.text(), request.headers.get("x-mesa-signature"));
   * if (event.type === "sync.completed") console.log(event.data.sync.stats.refs.length);
   * ```
   */
  async verify(rawBody: RawBody, signature: string | null | undefined): Promise<WebhookEvent> {
    await verifySignature(signature, rawBody, await this.#keys, this.#options.tolerance ?? 300);
    return parse(rawBody);
  }

  /**
   * Verifies and parses the request, and calls the event's handler. Returns the event, or null if an event with that id was handled
   * before.
   *
   * @throws {@link WebhookError} if the request did not come from the service.
   * @throws The error of the handler. The event is then handled again when it is sent again.
   */
  async receive(request: Request): Promise<WebhookEvent | null> {
    const event = await this.verify(await bodyOf(request), request.headers.get("x-mesa-signature"));
    return (await this.#handle(event)) ? event : null;
  }

  /**
   * {@link receive} as a web server's handler. It answers 204, 401 if the signature is wrong, 400 if the body is not an event, and 500
   * if a handler failed; see `onError`.
   */
  async respond(request: Request): Promise<Response> {
    const { status, text } = await this.#answer(async () => {
      return this.verify(await bodyOf(request), request.headers.get("x-mesa-signature"));
    });
    return new Response(text || null, { status });
  }

  /** {@link respond} for a server without `Request` and `Response`: the status and text of the answer. */
  answer(rawBody: RawBody, signature: string | null | undefined): Promise<Answer> {
    return this.#answer(() => this.verify(rawBody, signature));
  }

  async #answer(verified: () => Promise<WebhookEvent>): Promise<Answer> {
    let event: WebhookEvent;
    try {
      event = await verified();
    } catch (error) {
      if (!(error instanceof WebhookError)) throw error;
      return { status: error.code === "INVALID_BODY" ? 400 : 401, text: error.message };
    }
    try {
      await this.#handle(event);
      return { status: 204, text: "" };
    } catch (error) {
      const { onError = (error: unknown) => console.error(`webhook ${event.id} (${event.type}):`, error) } =
        this.#options;
      await onError(error, event);
      return { status: 500, text: "the handler failed" };
    }
  }

  /** Calls the event's handler; false if the event was handled before. */
  async #handle(event: WebhookEvent): Promise<boolean> {
    if (this.#seen.has(event.id)) return false;
    this.#remember(event.id);
    try {
      const handlers = this.#options.on ?? {};
      const own = isKnown(event)
        ? (handlers[event.type] as ((event: WebhookEvent) => void | Promise<void>) | undefined)
        : undefined;
      await (own ?? handlers.other)?.(event);
    } catch (error) {
      this.#seen.delete(event.id);
      throw error;
    }
    return true;
  }

  #remember(id: string): void {
    this.#seen.add(id);
    if (this.#seen.size <= (this.#options.remember ?? 10_000)) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }
}

async function bodyOf(request: Request): Promise<ArrayBuffer> {
  const body = await request.arrayBuffer();
  if (body.byteLength <= LARGEST_BODY) return body;
  throw new WebhookError("receive webhook: the body is too large", { code: "INVALID_BODY" });
}

function parse(body: RawBody): WebhookEvent {
  let event: Partial<WebhookEvent> | null = null;
  try {
    event = JSON.parse(typeof body === "string" ? body : new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    // Reported below, like every other body that is not an event.
  }
  if (typeof event?.id !== "string" || typeof event.type !== "string" || typeof event.data !== "object") {
    throw new WebhookError("receive webhook: the body is not an event", { code: "INVALID_BODY" });
  }
  return event as WebhookEvent;
}
