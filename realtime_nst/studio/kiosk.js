// A booth: visitors choose a painting, take a picture, and fetch it with their phones. Alone, it goes through the paintings.

import { byline } from "./gallery.js";
import { Link } from "./link.js";
import { Picture } from "./picture.js";

const COUNT = 3;
const SECOND = 1000;
const SHOWN = 45; // seconds that a picture stays, unless someone touches the booth
const ALONE = 40; // seconds without a visitor after which paintings change by themselves
const EACH = 8; // seconds of each then

const at = (id) => document.getElementById(id);
const link = new Link();
let touched = performance.now();
let turned = 0;
let busy = false;

async function start() {
  const styles = await (await fetch("/api/styles")).json();
  const byName = new Map(styles.map((style) => [style.name, style]));
  new Picture(link, at("picture"));
  link.addEventListener("open", () => (at("absent").hidden = true));
  link.addEventListener("lost", () => absent("One moment, please."));
  link.addEventListener("state", ({ detail }) => {
    const style = byName.get(detail.actions.style);
    at("title").textContent = style?.title || detail.actions.style;
    at("artist").textContent = style ? byline(style) : "";
  });
  at("before").onclick = () => link.act("next", "-");
  at("after").onclick = () => link.act("next", "+");
  at("take").onclick = take;
  at("again").onclick = back;
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touch, { capture: true });
  addEventListener("contextmenu", (event) => event.preventDefault());
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || busy) return;
    const does = { ArrowLeft: at("before").onclick, ArrowRight: at("after").onclick, Escape: back };
    if (does[event.key] && (event.key === "Escape" || at("shown").hidden)) does[event.key]();
  });
  setInterval(watch, SECOND);
  link.open();
}

function touch() {
  touched = performance.now();
  document.body.classList.remove("alone");
}

// Go back to the camera when nobody fetches a picture, and through the paintings when nobody is there.
function watch() {
  const idle = (performance.now() - touched) / SECOND;
  if (!at("shown").hidden) {
    if (idle > SHOWN) back();
    return;
  }
  if (busy || idle < ALONE) return;
  document.body.classList.add("alone");
  if (performance.now() - turned < EACH * SECOND) return;
  turned = performance.now();
  link.act("next", "+");
}

async function take() {
  if (busy || !at("shown").hidden) return;
  busy = true;
  document.body.classList.add("counting");
  for (let left = COUNT; left > 0; left -= 1) {
    at("count").textContent = left;
    await new Promise((resolve) => setTimeout(resolve, SECOND));
  }
  at("count").textContent = "";
  at("flash").classList.remove("lit");
  void at("flash").offsetWidth; // so that it begins anew
  at("flash").classList.add("lit");
  try {
    const answer = await fetch("/api/pictures", { method: "POST" });
    const found = await answer.json();
    if (answer.ok) show(found);
    else absent(found.error);
  } catch {
    absent("That did not work. Please try again.");
  }
  document.body.classList.remove("counting");
  busy = false;
  touch();
}

function show({ picture, code }) {
  at("absent").hidden = true;
  at("photo").src = picture;
  at("code").hidden = !code;
  if (code) at("code").src = code;
  at("fetch").textContent = code
    ? "Scan it with a phone in this place's network to keep the picture."
    : "It is saved on this computer.";
  at("shown").hidden = false;
  at("again").focus();
}

function back() {
  if (at("shown").hidden) return;
  at("shown").hidden = true;
  at("take").focus();
}

function absent(words) {
  at("absent").textContent = words;
  at("absent").hidden = false;
}

start().catch(() => absent("The page could not be set up."));
