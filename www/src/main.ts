/** Starts the page: a key from the address or from before a reload opens the dashboard, else the form asks for one. */

import "./style/base.css";
import "./style/controls.css";
import "./style/layout.css";
import "./style/run.css";

import { UnauthenticatedError } from "refsync";

import { connectForm } from "./connect";
import { Dashboard } from "./dashboard";
import { button, fill, h } from "./dom";
import { ProblemSlot } from "./problem";
import { forgetSession, type Session, sessionFromAddress, storedSession, storeSession } from "./session";
import { keepTimesFresh } from "./time";
import { Workspace } from "./workspace";

const page = document.querySelector("#page") ?? document.body;
let dashboard: Dashboard | undefined;

async function start(): Promise<void> {
  const given = sessionFromAddress();
  // Kept before it is tried: a reload while the service starts must not lose the key.
  if (given) storeSession(given);
  const session = given ?? storedSession();
  if (session) await open(session);
  else ask();
}

async function open(session: Session): Promise<void> {
  close();
  fill(page, h("p", { class: "empty starting", role: "status" }, "Connecting…"));
  try {
    enter(await Workspace.open(session));
  } catch (error) {
    if (error instanceof UnauthenticatedError) refuse(error);
    else unreachable(session, error);
  }
}

function enter(workspace: Workspace): void {
  close();
  storeSession(workspace.session);
  workspace.listen((change) => {
    if (change.kind === "refused") refuse(change.error);
  });
  dashboard = new Dashboard(workspace, leave);
  fill(page, dashboard.element);
}

function ask(reason?: unknown): void {
  close();
  document.title = "refsync";
  fill(page, connectForm(enter, reason));
}

function refuse(error: unknown): void {
  forgetSession();
  ask(error);
}

function leave(): void {
  forgetSession();
  history.replaceState(null, "", location.pathname + location.search);
  ask();
}

/** The key may well be good: the service is down, or in another place. */
function unreachable(session: Session, error: unknown): void {
  const slot = new ProblemSlot();
  slot.show(error, `Could not reach ${session.apiUrl}.`, () => void open(session));
  fill(
    page,
    h(
      "main",
      { class: "connect" },
      slot.element,
      button("Use another key", () => ask()),
    ),
  );
}

function close(): void {
  dashboard?.destroy();
  dashboard = undefined;
}

// The address with a key may also be pasted into a tab that is open already.
addEventListener("hashchange", () => {
  const given = sessionFromAddress();
  if (!given) return;
  storeSession(given);
  void open(given);
});
keepTimesFresh();
void start();
