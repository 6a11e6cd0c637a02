// One phone or browser: its body, its clock, its stacks of banners.

import { el, icon, arrange, call } from "./dom.js";
import { Stack, ago } from "./cards.js";

const KINDS = {
  apns: { look: "iphone", says: "iPhone · APNs" },
  fcm: { look: "android", says: "Android · FCM" },
  webpush: { look: "desktop", says: "Browser · Web Push" },
};
const STACKS_SHOWN = 40;
const SCREEN_LIMIT = 500;

function threadOf(arrival) {
  return arrival.thread || `single ${arrival.tag || arrival.seq}`;
}

export class Device {
  constructor(phone, paper) {
    this.phone = phone;
    this.arrivals = [];
    this.stacks = new Map();
    this.list = el("ul.banners");
    this.quietList = el("ul.banners.silent");
    this.quietHeading = el("p.silenthead", {}, "Silent");
    this.nothing = el("p.nothing", {}, "No notifications");
    this.rest = el("p.rest");
    this.clock = el("p.clock", { "aria-hidden": "true" });
    this.date = el("p.date", { "aria-hidden": "true" });
    this.counts = el("p.counts");
    this.switches = {
      silenced: this.switch("silenced", "Silence: only critical alerts ring"),
      online: this.switch("online", "Connection: what is sent meanwhile waits"),
    };
    this.element = this.build(paper);
    this.describe(phone);
    this.tick();
  }

  switch(name, title) {
    return el("button.switch", { type: "button", title,
      onclick: () => call("PATCH", `/api/phones/${this.phone.id}`, { [name]: !this.phone[name] }) });
  }

  build(paper) {
    const { look, says } = KINDS[this.phone.platform];
    const screen = el("div.screen", { "data-paper": paper },
      el("div.status", { "aria-hidden": "true" }, el("span.time"), el("span.marks", {}, icon("wifi"), el("i.battery"))),
      el("div.island", { "aria-hidden": "true" }),
      look === "desktop" ? browserWindow() : null,
      el("div.face", {}, look === "iphone" ? icon("lock") : null, this.date, this.clock),
      el("div.scroll", { tabindex: "0", role: "region", "aria-label": `Lock screen of ${this.phone.name}` },
        this.nothing, this.list, this.quietHeading, this.quietList, this.rest));
    return el(`article.device.${look}`, { id: `phone-${this.phone.id}`, "aria-label": `${this.phone.name}, ${says}` },
      el("div.case", {}, screen, look === "desktop" ? el("div.stand", { "aria-hidden": "true" }) : null),
      el("footer.plate", {},
        el("div", {}, el("h2", {}, el("bdi", {}, this.phone.name)),
          el("p.kind", {}, el("bdi", {}, this.phone.owner), ` · ${says}`)),
        el("div.switches", {}, this.switches.silenced, this.switches.online),
        this.counts));
  }

  describe(phone) {
    this.phone = phone;
    const { silenced, online } = this.switches;
    silenced.replaceChildren(icon(phone.silenced ? "bellOff" : "bell"));
    silenced.setAttribute("aria-label", phone.silenced ? "Silenced. Turn the ringer on" : "Ringer on. Silence");
    silenced.setAttribute("aria-pressed", String(phone.silenced));
    online.replaceChildren(icon(phone.online ? "wifi" : "plane"));
    online.setAttribute("aria-label", phone.online ? "Online. Go offline" : "Offline. Go online");
    online.setAttribute("aria-pressed", String(!phone.online));
    this.element.classList.toggle("offline", !phone.online);
    this.counted = { accepted: 0, rang: 0, replaced: 0, ...phone.counts };
    this.count();
  }

  load(arrivals) {
    this.arrivals = arrivals;
    this.draw(() => false);
  }

  // Take one arrival in; it is drawn with the next `draw`.
  receive(arrival) {
    this.counted.accepted += 1;
    this.counted.rang += arrival.rang ? 1 : 0;
    this.counted.replaced += arrival.replaced ? 1 : 0;
    if (arrival.tag) this.arrivals = this.arrivals.filter((older) => older.tag !== arrival.tag);
    if (arrival.shown) this.arrivals.unshift(arrival);
    this.arrivals.length = Math.min(this.arrivals.length, SCREEN_LIMIT);
    if (arrival.rang) this.rang = this.rang === "critical" ? "critical" : arrival.level;
  }

  draw(fresh) {
    const threads = new Map();
    for (const arrival of this.arrivals) {
      const key = threadOf(arrival);
      if (!threads.has(key)) threads.set(key, []);
      threads.get(key).push(arrival);
    }
    for (const key of [...this.stacks.keys()]) if (!threads.has(key)) this.stacks.delete(key);
    const loud = [];
    const quiet = [];
    let shown = 0;
    for (const [key, arrivals] of threads) {
      if ((shown += 1) > STACKS_SHOWN) break;
      if (!this.stacks.has(key)) this.stacks.set(key, new Stack());
      const stack = this.stacks.get(key);
      stack.update(arrivals, fresh);
      const apart = this.phone.platform === "fcm" && arrivals[0].level === "quiet";
      (apart ? quiet : loud).push(stack.element);
    }
    arrange(this.list, loud);
    arrange(this.quietList, quiet);
    this.quietHeading.hidden = quiet.length === 0;
    this.nothing.hidden = this.arrivals.length > 0;
    const hidden = threads.size - Math.min(threads.size, STACKS_SHOWN);
    this.rest.textContent = hidden ? `and ${hidden} more` : "";
    this.count();
    this.ring();
  }

  ring() {
    if (!this.rang) return;
    const name = this.rang === "critical" ? "ringing-critical" : "ringing";
    this.rang = null;
    this.element.classList.remove("ringing", "ringing-critical");
    void this.element.offsetWidth; // restart the animation
    this.element.classList.add(name);
    clearTimeout(this.calm);
    this.calm = setTimeout(() => this.element.classList.remove(name), 1600);
  }

  count() {
    const { accepted, rang, replaced } = this.counted;
    this.counts.textContent = accepted ? `${accepted} received · rang ${rang} · replaced ${replaced}` : "Nothing received yet";
  }

  tick(now = new Date()) {
    const clock = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    this.clock.textContent = clock;
    this.element.querySelector(".status .time").textContent = clock;
    this.date.textContent = now.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
    for (const when of this.element.querySelectorAll(".when")) when.textContent = ago(Number(when.dataset.at));
  }
}

function browserWindow() {
  return el("div.browser", { "aria-hidden": "true" },
    el("div.tabs", {}, el("i"), el("i"), el("i"), el("b", {}, "Conversations")),
    el("div.address", {}, "pushbridge.example"),
    el("div.page", {}, el("u"), el("u"), el("u"), el("u"), el("u")));
}
