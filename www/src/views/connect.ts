/** The form that asks for a key, when the page was opened without one or the key is refused. */

import { ownApiUrl, type Session } from "../api/session";
import { Workspace } from "../api/workspace";
import { h, hold } from "../parts/dom";
import { inputField } from "../parts/field";
import { ProblemSlot } from "../parts/problem";
import { wordmark } from "../parts/wordmark";

/**
 * The form. Calls `connected` with the workspace when the service has accepted the key. `reason` is the error that made the
 * page ask, and `doing` the failed action.
 */
export function connectForm(
  connected: (workspace: Workspace) => void,
  reason?: unknown,
  doing = "The service does not take this key.",
): HTMLElement {
  const slot = new ProblemSlot();
  const apiKey = inputField("api_key", "API key", {
    type: "password",
    required: true,
    code: true,
    hint: "Kept in this tab only, until it is closed. refsync keys create makes one.",
  });
  const connect = h("button", { type: "submit", class: "button button-primary" }, "Connect");
  const submit = async () => {
    slot.clear();
    hold([connect], true);
    // The page's policy does not let it call another service.
    const session: Session = { apiUrl: ownApiUrl(), apiKey: apiKey.input.value.trim() };
    try {
      connected(await Workspace.open(session));
    } catch (error) {
      slot.show(error, "Could not connect.");
    } finally {
      hold([connect], false);
    }
  };
  if (reason !== undefined) slot.show(reason, doing);
  return h(
    "main",
    { class: "connect" },
    h(
      "form",
      {
        class: "card",
        on: {
          submit: (event) => {
            event.preventDefault();
            void submit();
          },
        },
      },
      wordmark(),
      h("h1", {}, "Connect to the service"),
      slot.element,
      apiKey.element,
      connect,
    ),
  );
}
