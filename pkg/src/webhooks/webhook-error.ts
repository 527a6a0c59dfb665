/**
 * The error of a request that is not a webhook.
 *
 * @module
 */
import { RefsyncError } from "../errors.js";

/**
 * The request is not a webhook of the service. `code` is `SIGNATURE_MISSING`, `SIGNATURE_WRONG`, `TOO_OLD`, `TOO_NEW` or
 * `INVALID_BODY`.
 */
export class WebhookError extends RefsyncError {
  /** The name of its class. */
  override readonly name = "WebhookError";
}
