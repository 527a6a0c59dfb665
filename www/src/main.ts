/**
 * Starts the page: opens the dashboard with a code in the address, or with the session from before a reload. Otherwise the form
 * asks for a key.
 */

import "./style/base.css";
import "./style/controls.css";
import "./style/layout.css";
import "./style/run.css";

import { UnauthenticatedError } from "refsync";
import {
  endSession,
  exchange,
  type FromAddress,
  forgetSession,
  ownApiUrl,
  type Session,
  storedSession,
  storeSession,
  takeFromAddress,
} from "./api/session";
import { Workspace } from "./api/workspace";
import { button, fill, h } from "./parts/dom";
import { ProblemSlot } from "./parts/problem";
import { keepTimesFresh } from "./parts/time";
import { connectForm } from "./views/connect";
import { Dashboard } from "./views/dashboard";

const page = document.querySelector("#page") ?? document.body;
let dashboard: Dashboard | undefined;
let workspace: Workspace | undefined;

async function start(): Promise<void> {
  const given = takeFromAddress();
  if (given) return take(given);
  const session = storedSession();
  if (session) await open(session);
  else ask();
}

/** Signs in with the code from the address. */
async function take(given: FromAddress): Promise<void> {
  if (given.kind === "key") {
    const advice =
      "The browser keeps addresses in its history, and this one has a key. Paste the key here, and revoke it if others use this browser.";
    return ask(new Error(advice), "The page does not accept a key in its address.");
  }
  await signIn(given.code);
}

async function signIn(code: string): Promise<void> {
  close();
  connecting();
  let session: Session;
  try {
    session = await exchange(code);
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) {
      return unreachable(ownApiUrl(), error, () => void signIn(code));
    }
    // A restored tab has its used address again. Its session continues.
    const before = storedSession();
    return before ? open(before) : ask(error, "This address cannot sign you in.");
  }
  // Stores the session first: the code works only once, so a reload while the service is slow must not lose the session.
  storeSession(session);
  await open(session);
}

function connecting(): void {
  fill(page, h("p", { class: "empty starting", role: "status" }, "Connecting…"));
}

async function open(session: Session): Promise<void> {
  close();
  connecting();
  try {
    enter(await Workspace.open(session));
  } catch (error) {
    if (error instanceof UnauthenticatedError) refuse(error);
    else unreachable(session.apiUrl, error, () => void open(session));
  }
}

function enter(entered: Workspace): void {
  close();
  workspace = entered;
  storeSession(entered.session);
  entered.listen((change) => {
    if (change.kind === "refused") refuse(change.error);
  });
  dashboard = new Dashboard(entered, leave);
  fill(page, dashboard.element);
}

function ask(reason?: unknown, doing?: string): void {
  close();
  document.title = "refsync";
  fill(page, connectForm(enter, reason, doing));
}

function refuse(error: unknown): void {
  forgetSession();
  ask(error);
}

/** Signs out: the tab forgets the key. If the page got the key for a code, the service also revokes it. */
function leave(): void {
  const left = workspace;
  forgetSession();
  history.replaceState(null, "", location.pathname + location.search);
  ask();
  if (!left) return;
  endSession(left.session, left.who.org.slug).catch((error: unknown) => {
    // The user may have signed in again meanwhile.
    if (workspace) return;
    ask(
      error,
      "This tab has forgotten the key, but the service could not end the session. It ends by itself within twelve hours.",
    );
  });
}

/** The key may well be good: the service is down, or in another place. */
function unreachable(apiUrl: string, error: unknown, again: () => void): void {
  const slot = new ProblemSlot();
  slot.show(error, `Could not reach ${apiUrl}.`, again);
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
  workspace = undefined;
}

// The user may also paste an address with a code into an open tab.
addEventListener("hashchange", () => {
  const given = takeFromAddress();
  if (given) void take(given);
});
keepTimesFresh();
void start();
