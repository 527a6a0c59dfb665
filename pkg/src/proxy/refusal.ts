/**
 * Why the relay does not pass on a request.
 *
 * @module
 */
/** The answer to a request that is not relayed. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }

  response(): Response {
    const { status, code, message, headers } = this;
    return Response.json({ error: { code, message } }, { status, headers });
  }
}

/** The refusal for a request that failed. */
export function unreachable(error: unknown, target: URL): Refusal {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "ADDRESS_NOT_ALLOWED") {
    return new Refusal(403, code, `${target.host} has a private address, which this relay does not reach`);
  }
  return new Refusal(502, "HOST_UNREACHABLE", `${target.host}: ${typeof message === "string" ? message : "no answer"}`);
}
