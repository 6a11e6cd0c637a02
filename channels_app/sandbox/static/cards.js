// One banner as its system draws it, and the stack of banners of one thread.

import { el, icon, arrange } from "./dom.js";
import { claim, showArrival, showTap } from "./details.js";

const LABELS = {
  apns: { critical: "Critical alert", loud: "Time sensitive", quiet: "Delivered quietly" },
  fcm: { critical: "Escalation", loud: "Loud", quiet: "" },
  webpush: { critical: "Stays until answered", loud: "High urgency", quiet: "Silent" },
};
const PLAIN_LEVELS = new Set(["active", "normal", ""]);
const RIGHT_TO_LEFT = /^[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const STACK_SHOWN = 12;

export function ago(seconds, now = Date.now() / 1000) {
  const age = Math.max(0, now - seconds);
  if (age < 60) return "now";
  if (age < 3600) return `${Math.floor(age / 60)}m`;
  return age < 86400 ? `${Math.floor(age / 3600)}h` : `${Math.floor(age / 86400)}d`;
}

function label(arrival) {
  if (arrival.level === "loud" && PLAIN_LEVELS.has(arrival.wire_level)) return "";
  return LABELS[arrival.platform][arrival.level];
}

function labelIcon(arrival) {
  if (arrival.level === "critical") return icon(arrival.platform === "webpush" ? "pin" : "alert");
  return icon(arrival.level === "quiet" ? "bellOff" : "clock");
}

// By the first letter. Not dir="auto", for which the SOS sign counts as a left-to-right letter.
function directionOf(content) {
  const letter = content.match(/\p{L}/u);
  return letter && RIGHT_TO_LEFT.test(letter[0]) ? "rtl" : "ltr";
}

function text(spec, content, arrival) {
  const given = ["ltr", "rtl"].includes(arrival.direction);
  const direction = given ? arrival.direction : directionOf(content);
  return el(spec, { dir: direction, lang: arrival.lang || undefined }, content);
}

function soundMark(arrival) {
  const says = arrival.rang ? `Rang (${arrival.sound})` : "No sound";
  return el("span.sound", { title: says, role: "img", "aria-label": says, "data-rang": arrival.rang },
    icon(arrival.rang ? "bell" : "bellOff"));
}

function head(arrival) {
  const time = new Date(arrival.received_at * 1000);
  const says = label(arrival);
  return el("div.head", {},
    says
      ? el("span.level", {}, labelIcon(arrival), says)
      : el("span.app", {}, arrival.platform === "webpush" ? "pushbridge.example" : "Pushbridge"),
    soundMark(arrival),
    el("time.when", { datetime: time.toISOString(), title: time.toLocaleString(), "data-at": arrival.received_at },
      ago(arrival.received_at)),
    el("button.wire", { type: "button", title: "What was on the wire", "aria-label": "What was on the wire",
      onclick: () => showArrival(arrival) }, icon("code")));
}

function tap(arrival, action, button) {
  if (action.action === "claim" && arrival.data.action_token) claim(arrival, button);
  else showTap(arrival, action);
}

export function card(arrival, fresh) {
  const buttons = arrival.actions.map((action) =>
    el("button.action", { type: "button", "data-action": action.action, onclick: (event) => tap(arrival, action, event.currentTarget) }, action.title));
  const element = el(`article.card.${arrival.level}`, { "aria-label": `${arrival.title}. ${arrival.body}` },
    el("span.appicon", { "aria-hidden": "true" }),
    el("div.words", {},
      head(arrival),
      el("button.open", { type: "button", title: "Tap", onclick: () => showTap(arrival, null) },
        text("span.title", arrival.title, arrival),
        arrival.subtitle ? text("span.subtitle", arrival.subtitle, arrival) : null,
        text("span.text", arrival.body, arrival))),
    buttons.length ? el("div.actions", {}, ...buttons) : null);
  if (arrival.warnings.length) element.append(el("p.warning", {}, icon("alert"), arrival.warnings.join("; ")));
  if (fresh) {
    element.classList.add(arrival.replaced ? "replaced" : "arriving");
    element.addEventListener("animationend", () => element.classList.remove("replaced", "arriving"), { once: true });
  }
  return element;
}

// The banners of one thread: the newest on top, the others behind it until it is opened.
export class Stack {
  constructor() {
    this.cards = new Map();
    this.open = false;
    this.more = el("button.more", { type: "button", onclick: () => this.toggle() });
    this.element = el("li.stack");
  }

  toggle() {
    this.open = !this.open;
    this.draw();
  }

  update(arrivals, fresh) {
    this.arrivals = arrivals;
    const wanted = new Set(arrivals.map((arrival) => arrival.seq));
    for (const seq of [...this.cards.keys()]) if (!wanted.has(seq)) this.cards.delete(seq);
    for (const arrival of arrivals.slice(0, STACK_SHOWN)) {
      if (!this.cards.has(arrival.seq)) this.cards.set(arrival.seq, card(arrival, fresh(arrival)));
    }
    this.draw();
  }

  draw() {
    const hidden = this.arrivals.length - 1;
    const shown = this.arrivals.slice(0, this.open ? STACK_SHOWN : 1).map((a) => this.cards.get(a.seq));
    this.element.dataset.behind = this.open ? 0 : Math.min(hidden, 2);
    this.more.textContent = this.open ? "Show less" : `${hidden} more in this thread`;
    this.more.setAttribute("aria-expanded", String(this.open));
    arrange(this.element, hidden > 0 ? [...shown, this.more] : shown);
  }
}
