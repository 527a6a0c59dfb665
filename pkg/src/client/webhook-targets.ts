/**
 * `client.webhookTargets`.
 *
 * @module
 */

import type {
  CreateWebhookTargetRequest,
  DeleteResult,
  ListWebhookTargetsRequest,
  OrgPath,
  UpdateWebhookTargetRequest,
  WebhookTarget,
  WebhookTargetPage,
  WebhookTargetPath,
  WebhookTargetSecret,
} from "../wasm/client/refsync.js";
import { type Paged, paged } from "./paged.js";
import type { CallOptions, Send } from "./send.js";

/**
 * Webhook targets: where an organisation's events are sent, see `refsync/webhooks` for their receiver. Every call needs a
 * credential of the scope `admin`, else it rejects with a `ForbiddenError`. Reached as `client.webhookTargets`.
 */
export class WebhookTargets {
  readonly #send: Send;

  /** @internal */
  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Makes a target. Keep its `secret`, which no other answer carries. `events` is `["push"]` when left out: name those that
   * you want, such as `sync.completed`. `ConflictError` where the organisation has as many targets as it may.
   */
  create(request: CreateWebhookTargetRequest & OrgPath, options: CallOptions = {}): Promise<WebhookTargetSecret> {
    return this.#send("createWebhookTarget", request, options);
  }

  /** One target, without its secret. */
  get(request: WebhookTargetPath, options: CallOptions = {}): Promise<WebhookTarget> {
    return this.#send("showWebhookTarget", request, options);
  }

  /** An organisation's targets, newest first: `await` gives the first page, `for await` all of them. */
  list(request: ListWebhookTargetsRequest = {}, options: CallOptions = {}): Paged<WebhookTargetPage, WebhookTarget> {
    const page = (from: { cursor?: string }) =>
      this.#send<WebhookTargetPage>("listWebhookTargets", { ...request, ...from }, options);
    return paged(page, ({ webhook_targets }) => webhook_targets);
  }

  /** Changes a target. What is left out (or `undefined`) stays; a null `repo_ids` is the whole organisation. */
  update(request: UpdateWebhookTargetRequest & WebhookTargetPath, options: CallOptions = {}): Promise<WebhookTarget> {
    return this.#send("updateWebhookTarget", request, options);
  }

  /** Deletes a target; nothing more is sent to it. */
  delete(request: WebhookTargetPath, options: CallOptions = {}): Promise<DeleteResult> {
    return this.#send("deleteWebhookTarget", request, options);
  }

  /**
   * Gives a target a new `secret`, which no other answer carries. The one before it is good for another day: let the receiver
   * take both meanwhile. Not repeated when its answer is lost, as that would end the validity of the lost one's predecessor.
   */
  rotateSecret(request: WebhookTargetPath, options: CallOptions = {}): Promise<WebhookTargetSecret> {
    return this.#send("rotateWebhookSecret", request, options);
  }
}
