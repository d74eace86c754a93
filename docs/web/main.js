// The studio without a program behind it: this browser paints. `build.py` lays the studio's own modules beside this one.

import { Choosing } from "./choosing.js";
import { takeFiles } from "./files.js";
import { Painter } from "./painter.js";
import { hang, learning } from "./paintings.js";
import { Picture } from "./picture.js";
import { Show } from "./show.js";
import { Gallery, caption } from "./studio/gallery.js";
import { listKeys, listenToKeys } from "./studio/keys.js";
import { element, Panel } from "./studio/panel.js";
import { tell, tool } from "./tools.js";

const at = (id) => document.getElementById(id);
const FULL = "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5";
const KEYS = "M3 7h18v10H3zM7 10.5v.01M11 10.5v.01M15 10.5v.01M8 14h8";
const PAUSED = "Paused";
const PAINTING = "Painting …";
const SLOW = 700; // milliseconds of a picture of which one is told that it is painted
const FIGURES_EVERY = 500; // milliseconds
const KEPT = 60_000; // milliseconds that a browser has to save a picture

async function start() {
  const [{ actions, limits, first }, { styles }] = await Promise.all(["page.json", "styles.json"].map(fetchJson));
  const known = Object.entries(styles).map(([name, style], index) => ({ title: name, ...style, name, number: index + 1 }));
  const sample = await createImageBitmap(await (await fetch("photo.jpg")).blob());
  const painter = new Painter();
  const show = new Show(actions, known, first);
  const picture = new Picture(at("picture"), painter, () => ({ ...show.values, vector: Float32Array.from(show.vector) }));
  const gallery = new Gallery(show, at("gallery"), known);
  for (const { name } of known) hang(name, `thumbnails/${encodeURIComponent(name)}.jpg`);
  const choosing = new Choosing(picture, show, sample, at("wall"), at("photo"));
  const panel = new Panel(show, at("panel"), at("tools"), actions, known);
  takeFiles(at("styles"), at("painting"), at("add-painting"), learning({ painter, show, gallery, sample, limits }));
  addKeys(show, actions);
  at("about-open").onclick = () => at("about").showModal();

  show.addEventListener("snapshot", () => save(show.values.style));
  show.addEventListener("state", ({ detail }) => {
    panel.show(detail);
    gallery.show(detail);
    [at("title").textContent, at("artist").textContent] = caption(detail, (name) => show.style(name));
    if (detail.pause) tell(PAUSED, Infinity);
    else if (at("notice").textContent === PAUSED) tell("");
    else if (picture.milliseconds > SLOW && !picture.source.moving) tell(PAINTING, Infinity);
    picture.change();
  });
  show.act("style", first); // shows everything as it is set
  at("picture").addEventListener("size", () => {
    at("frame").style.setProperty("--shape", `${at("picture").width} / ${at("picture").height}`);
  });
  painter.addEventListener("progress", ({ detail }) => {
    at("absent").textContent = detail < 1 ? `Getting ready … ${Math.floor(detail * 10) * 10} %` : "Getting ready …";
  });

  const engine = await painter.start();
  at("engine").textContent = `It paints by ${engine.words}.`;
  if (engine.kind === "wasm") choosing.expectSlowness();
  at("picture").addEventListener("drawn", () => {
    at("absent").hidden = true;
    if (at("notice").textContent === PAINTING) tell("");
  });
  setInterval(() => showFigures(picture), FIGURES_EVERY);
  await picture.run();
}

// What the page does to itself, by buttons and keys.
function addKeys(show, actions) {
  const own = {
    full_screen: () => (document.fullscreenElement ? document.exitFullscreen() : at("wall").requestFullscreen()),
    display: () => document.body.classList.toggle("without-figures"),
    help: () => at("keys").showModal(),
  };
  tool("full_screen", "Full screen", FULL, own.full_screen);
  tool("keys", "Keys", KEYS, own.help);
  listKeys(at("keys-list"), actions);
  listenToKeys(show, actions, own);
}

function save(name) {
  at("picture").toBlob((picture) => {
    const link = element("a", { href: URL.createObjectURL(picture), download: `${name.replace(/\.\w+$/, "")}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
    tell("Saved");
  });
}

function showFigures(picture) {
  const milliseconds = element("b", {}, String(Math.round(picture.milliseconds)));
  const rate = picture.source.moving ? [element("b", {}, String(picture.rate)), " frames/s "] : [];
  at("figures").replaceChildren(...rate, milliseconds, " ms");
  at("figures").title = `Painted at ${at("picture").width} × ${at("picture").height}`;
}

async function fetchJson(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} cannot be fetched (${answer.status})`);
  return answer.json();
}

start().catch((error) => {
  at("absent").textContent = `This page cannot paint here: ${error.message}. It needs a browser of 2023 or newer.`;
  at("absent").hidden = false;
});
