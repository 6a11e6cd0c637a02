// Keeps the wall in step with the sandbox: a snapshot first, then what arrives.

import { el, arrange, call } from "./dom.js";
import { Device } from "./devices.js";
import { showRefusals } from "./details.js";

const DRAW_MILLISECONDS = 60;
const SPOKEN_LIMIT = 5;
const PAPERS = 6;
const wall = document.getElementById("wall");
const link = document.getElementById("link");
const lost = document.getElementById("lost");
const totals = document.getElementById("totals");
const spoken = document.getElementById("spoken");
const refusals = document.getElementById("refusals");

const devices = new Map();
let lastSeq = null;
let waiting = [];
let fresh = new Set();
let drawing = null;
let loading = null;

function state(name, says) {
  link.dataset.state = name;
  link.textContent = says;
  lost.hidden = name !== "lost";
  document.body.classList.toggle("stale", name === "lost");
}

// Fetch everything again; arrivals that come meanwhile are applied on top of it.
async function load() {
  lastSeq = null;
  const snapshot = await call("GET", "/api/wall");
  const living = new Set(snapshot.phones.map((phone) => phone.id));
  for (const id of [...devices.keys()]) if (!living.has(id)) devices.delete(id);
  const owners = [...new Set(snapshot.phones.map((phone) => phone.owner))];
  for (const phone of snapshot.phones) {
    const known = devices.get(phone.id);
    if (known) known.describe(phone);
    else devices.set(phone.id, new Device(phone, owners.indexOf(phone.owner) % PAPERS));
    devices.get(phone.id).load(phone.banners);
  }
  arrange(wall, snapshot.phones.map((phone) => devices.get(phone.id).element));
  document.getElementById("empty").hidden = devices.size > 0;
  lastSeq = snapshot.seq;
  const missed = waiting;
  waiting = [];
  missed.forEach(receive);
  count(snapshot.refused);
}

function reload() {
  loading ??= new Promise((done) => setTimeout(done, 50))
    .then(load)
    .catch(() => state("lost", "Lost"))
    .finally(() => { loading = null; });
}

function receive(arrival) {
  if (lastSeq === null) {
    waiting.push(arrival);
    return;
  }
  if (arrival.seq <= lastSeq) return;
  lastSeq = arrival.seq;
  devices.get(arrival.phone_id)?.receive(arrival);
  fresh.add(arrival);
  drawing ??= setTimeout(draw, DRAW_MILLISECONDS);
}

function draw() {
  drawing = null;
  const arrived = fresh;
  fresh = new Set();
  const touched = new Set([...arrived].map((arrival) => arrival.phone_id));
  for (const id of touched) devices.get(id)?.draw((arrival) => arrived.has(arrival));
  speak([...arrived].slice(-SPOKEN_LIMIT));
  count();
}

function speak(arrivals) {
  for (const arrival of arrivals) {
    spoken.append(el("p", { dir: "auto" }, `${arrival.phone_name}: ${arrival.title}. ${arrival.body}`));
  }
  while (spoken.children.length > SPOKEN_LIMIT) spoken.firstChild.remove();
}

function count(refused) {
  const phones = devices.size === 1 ? "1 phone" : `${devices.size} phones`;
  totals.textContent = devices.size ? `${phones} · ${lastSeq} pushes received` : "";
  if (refused !== undefined) {
    refusals.hidden = refused === 0;
    refusals.textContent = `${refused} refused`;
  }
}

function follow() {
  const stream = new EventSource("/api/stream");
  stream.addEventListener("open", () => {
    state("live", "Live");
    reload();
  });
  stream.addEventListener("error", () => state("lost", "Reconnecting"));
  stream.addEventListener("banner", (event) => receive(JSON.parse(event.data)));
  stream.addEventListener("refused", (event) => count(JSON.parse(event.data).count));
  stream.addEventListener("phones", reload);
  stream.addEventListener("restart", reload);
}

document.getElementById("wipe").addEventListener("click", () => {
  for (const id of devices.keys()) call("DELETE", `/api/phones/${id}/banners`);
});
refusals.addEventListener("click", showRefusals);
for (const button of document.querySelectorAll("[data-add]")) {
  button.addEventListener("click", () => {
    const names = { apns: "iPhone", fcm: "Pixel", webpush: "Firefox" };
    const platform = button.dataset.add;
    call("POST", "/api/phones", { platform, owner: "You", name: `Your ${names[platform]}` });
  });
}
setInterval(() => devices.forEach((device) => device.tick()), 10_000);
follow();
