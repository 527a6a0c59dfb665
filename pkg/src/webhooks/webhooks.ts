/**
 * The receiver of webhooks.
 *
 * @module
 */
import { RefsyncError } from "../errors.js";
import { refuseUnknown } from "../options.js";
import { type Envelope, type EventData, isKnown, knownEvents, type WebhookEvent } from "./events.js";

/** A handler for each type of event. */
export type Handlers = {
  [Type in keyof EventData]?: (event: Envelope<Type, EventData[Type]>) => void | Promise<void>;
} & {
  /** Called with each event that has no handler of its own. */
  other?: (event: WebhookEvent) => void | Promise<void>;
};

/** The options of a receiver. */
export interface WebhookOptions {
  /** The target's secret. While a secret is rotated, a list of all valid ones. */
  secret: string | readonly string[];
  /** The handlers of events. */
  on?: Handlers;
  /** The largest difference between the sender's clock and ours, in seconds. Default: 300. */
  tolerance?: number;
  /** How many ids are remembered, so that a repeated event is dropped. Default: 10,000. */
  remember?: number;
}

/**
 * The request is not a webhook of the service. `code` is `SIGNATURE_MISSING`, `SIGNATURE_WRONG`, `TOO_OLD`, `TOO_NEW` or
 * `INVALID_BODY`.
 */
export class WebhookError extends RefsyncError {
  /** The name of its class. */
  override readonly name = "WebhookError";
}

/** The largest body that is read. The stats of a run with many refs may be long. */
const LARGEST = 64 * 1024 * 1024;

const known = { secret: true, on: true, tolerance: true, remember: true } satisfies Record<keyof WebhookOptions, true>;

/** Receives the webhooks of one target, or of several targets with the same secrets. */
export class Webhooks {
  readonly #options: WebhookOptions;
  /** Ids of events that were handled or are being handled, oldest first. */
  readonly #seen = new Set<string>();
  readonly #keys: Promise<CryptoKey[]>;

  /**
   * Throws a `TypeError` without a secret: an empty one would let everybody in. Throws an `InvalidRequestError` for an unknown
   * option, and for a handler of an event that this version does not know. Handle such events in `other`.
   */
  constructor(options: WebhookOptions) {
    refuseUnknown("Webhooks", options, known);
    refuseUnknown("Webhooks", options.on, { ...knownEvents, other: true }, "on.");
    const secrets = Array.isArray(options.secret) ? options.secret : [options.secret];
    if (secrets.length === 0 || secrets.some((secret) => typeof secret !== "string" || secret === "")) {
      throw new TypeError("Webhooks: secret is missing or empty, or not a string");
    }
    this.#options = options;
    const key = (secret: string) =>
      crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    this.#keys = Promise.all(secrets.map(key));
  }

  /**
   * Verifies and parses the request, and calls the event's handler. Returns the event, or null if an event with that id was handled
   * before. Rejects with a {@link WebhookError} if the request did not come from the service. If the handler rejects, it rejects with
   * the same error, and the event is handled again when it is sent again.
   */
  async receive(request: Request): Promise<WebhookEvent | null> {
    const body = await request.arrayBuffer();
    if (body.byteLength > LARGEST)
      throw new WebhookError("receive webhook: the body is too large", { code: "INVALID_BODY" });
    await this.#verify(request.headers.get("x-mesa-signature"), body);
    const event = parse(body);
    if (this.#seen.has(event.id)) return null;
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
    return event;
  }

  /**
   * {@link receive} as a web server's handler. It answers 204, 401 if the signature is wrong, 400 if the body is not an event, and 500
   * if a handler failed.
   */
  async respond(request: Request): Promise<Response> {
    try {
      await this.receive(request);
      return new Response(null, { status: 204 });
    } catch (error) {
      if (!(error instanceof WebhookError)) return new Response("the handler failed", { status: 500 });
      return new Response(error.message, { status: error.code === "INVALID_BODY" ? 400 : 401 });
    }
  }

  async #verify(header: string | null, body: ArrayBuffer): Promise<void> {
    const parts = (header ?? "").split(",").map((part) => part.trim().split("="));
    const values = (name: string) => parts.filter(([key]) => key === name).map(([, value]) => value ?? "");
    const [time] = values("t");
    const signatures = values("sha256").filter((hex) => /^[0-9a-f]{64}$/i.test(hex));
    if (time === undefined || !/^\d{1,12}$/.test(time) || signatures.length === 0) {
      throw new WebhookError("receive webhook: x-mesa-signature is missing or malformed", {
        code: "SIGNATURE_MISSING",
      });
    }
    const signed = new Uint8Array(await new Blob([`${time}.`, body]).arrayBuffer());
    const valid = await Promise.all(
      (await this.#keys).flatMap((key) =>
        signatures.map((hex) => crypto.subtle.verify("HMAC", key, unhex(hex), signed)),
      ),
    );
    if (!valid.includes(true)) {
      throw new WebhookError("receive webhook: the signature does not match the secret", { code: "SIGNATURE_WRONG" });
    }
    const { tolerance = 300 } = this.#options;
    const age = Date.now() / 1000 - Number(time);
    if (Math.abs(age) > tolerance) {
      const [code, words] = age > 0 ? (["TOO_OLD", "ago"] as const) : (["TOO_NEW", "ahead of this clock"] as const);
      throw new WebhookError(
        `receive webhook: it was signed ${Math.abs(age).toFixed(0)} s ${words}, and ${tolerance} s are allowed`,
        { code },
      );
    }
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

const encoder = new TextEncoder();

function parse(body: ArrayBuffer): WebhookEvent {
  let event: Partial<WebhookEvent> | null = null;
  try {
    event = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    // Reported below, like every other body that is not an event.
  }
  if (typeof event?.id !== "string" || typeof event.type !== "string" || typeof event.data !== "object") {
    throw new WebhookError("receive webhook: the body is no event", { code: "INVALID_BODY" });
  }
  return event as WebhookEvent;
}

function unhex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
