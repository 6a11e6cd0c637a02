// The sheet that says what a tap would open, and what was on the wire.

import { el, call } from "./dom.js";

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false };

const dialog = document.getElementById("details");
const heading = document.getElementById("details-title");
const body = document.getElementById("details-body");

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

function open(title, ...sections) {
  heading.textContent = title;
  body.replaceChildren(...sections.filter(Boolean));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

function table(entries) {
  return el("dl.facts", {}, ...entries.flatMap(([name, value]) => [
    el("dt", {}, name), el("dd", { dir: "auto" }, String(value)),
  ]));
}

function json(content) {
  return el("pre.json", { tabindex: "0" }, JSON.stringify(content, null, 2));
}

function section(title, ...children) {
  return el("section", {}, el("h3", {}, title), ...children);
}

export function showTap(arrival, action) {
  open(
    action ? `“${action.title}” was tapped` : "The banner was tapped",
    section("Opens", arrival.link
      ? el("p.deeplink", {}, arrival.link)
      : el("p.none", {}, "No link: the app just comes to the front.")),
    action ? section("Action", table([["action", action.action], ...(arrival.category ? [["category", arrival.category]] : [])])) : null,
    section("Data handed to the app", json(arrival.data)),
    el("p.note", {}, "The phone is not real: nothing was opened, nothing was sent."),
  );
}

const CLAIMED = { 200: "The conversation is theirs.", 409: "Somebody was faster.", 404: "The app's server does not know this phone." };

// "Claim" works with the app closed: the phone's app asks its server, with what the banner brought.
export async function claim(arrival, button) {
  button.disabled = true;
  button.textContent = "Claiming…";
  let outcome;
  try {
    outcome = await call("POST", `/api/phones/${arrival.phone_id}/taps`, { seq: arrival.seq, action: "claim" });
  } catch (error) {
    button.disabled = false;
    button.textContent = "Claim";
    open("“Claim” was tapped", section("It did not work", el("p", {}, error.message)));
    return;
  }
  const { status, answer } = outcome;
  open(
    `“Claim” was tapped on ${arrival.phone_name}`,
    el("p.outcome", { role: "status" }, CLAIMED[status] ?? "The app's server says no."),
    section("Opens", el("p.deeplink", {}, arrival.link)),
    section(`The server's answer: ${status}`, json(parsed(answer))),
  );
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function showArrival(arrival) {
  const time = new Date(arrival.received_at * 1000);
  open(
    `On the wire, to ${arrival.phone_name}`,
    arrival.warnings.length ? section("Warnings", el("ul.warnings", {}, ...arrival.warnings.map((w) => el("li", {}, w)))) : null,
    section("What the phone made of it", table([
      ["received", time.toLocaleTimeString([], CLOCK)],
      ["level", `${arrival.level} (${arrival.wire_level || "–"})`],
      ["sound", arrival.rang ? `rang: ${arrival.sound}` : "did not ring"],
      ["replaced", arrival.replaced ? "yes, in place" : "no, a new banner"],
      ["identity", arrival.tag || "none: never replaced"],
      ["collapse key", arrival.collapse_key || "–"],
      ["thread", arrival.thread || "–"],
    ])),
    section("Headers", table(Object.entries(arrival.headers))),
    section("Payload", json(arrival.payload)),
  );
}

export async function showRefusals() {
  const refusals = await call("GET", "/api/refusals");
  open(
    "Refused requests",
    ...refusals.slice(-100).reverse().map((refusal) => el("section.refusal", {},
      el("h3", {}, `${refusal.status} ${refusal.reason}`),
      el("p.note", {}, `${refusal.platform}, ${new Date(refusal.at * 1000).toLocaleTimeString()}`),
      refusal.detail ? el("p", { dir: "auto" }, refusal.detail) : null)),
  );
}
