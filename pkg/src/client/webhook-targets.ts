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
 * Webhook targets: the addresses that receive an organisation's events. For receivers see `refsync/webhooks`. Reached as
 * `client.webhookTargets`.
 *
 * @throws {@link ForbiddenError} from every call whose credential does not have the scope `admin`.
 * @example
 * ```ts
 * const events = ["sync.completed", "sync.failed"];
 * const { id, secret } = await client.webhookTargets.create({ url: "https://example.com/hooks", events });
 * ```
 */
export class WebhookTargets {
  readonly #send: Send;

  /** @internal */
  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Makes a target. Store its `secret`, because no other answer contains it. `events` is `["push"]` by default: list the events that
   * you want, such as `sync.completed`.
   *
   * @throws {@link ConflictError} if the organisation has 100 targets already.
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

  /**
   * Changes a target. Keys that are left out (or `undefined`) do not change. If `repo_ids` is null, the target gets the events of all
   * repositories.
   */
  update(request: UpdateWebhookTargetRequest & WebhookTargetPath, options: CallOptions = {}): Promise<WebhookTarget> {
    return this.#send("updateWebhookTarget", request, options);
  }

  /** Deletes a target. No more events are sent to it. */
  delete(request: WebhookTargetPath, options: CallOptions = {}): Promise<DeleteResult> {
    return this.#send("deleteWebhookTarget", request, options);
  }

  /**
   * Gives a target a new `secret`. Store it, because no other answer contains it. The previous one stays valid for a day: let the
   * receiver accept both for that time. The call is not repeated if its answer is lost, because a second rotation would end the
   * validity of the secret that the receiver knows.
   */
  rotateSecret(request: WebhookTargetPath, options: CallOptions = {}): Promise<WebhookTargetSecret> {
    return this.#send("rotateWebhookSecret", request, options);
  }
}
