// The studio: picture, styles and settings of one show.

import { Cameras } from "./cameras.js";
import { Gallery, caption } from "./gallery.js";
import { Jobs } from "./jobs.js";
import { listKeys, listenToKeys } from "./keys.js";
import { Link } from "./link.js";
import { Panel, element, icon } from "./panel.js";
import { Picture } from "./picture.js";

const at = (id) => document.getElementById(id);
const FULL = "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5";
const CAMERA = "M3 7h11v10H3zM14 10.5 21 7.5v9l-7-3";
const KEYS = "M3 7h18v10H3zM7 10.5v.01M11 10.5v.01M15 10.5v.01M8 14h8";
const PHONE = "M8 3h8v18H8zM11.5 18h1";
const SAID = 5000; // milliseconds
const said = { show: "", page: "" };
const END = "M12 4v8M7.5 7a7 7 0 1 0 9 0";

async function start() {
  const [rows, styles, { possible }] = await Promise.all(["/api/actions", "/api/styles", "/api/styles/new"].map(fetchJson));
  const link = new Link();
  const picture = new Picture(link, at("picture"));
  const gallery = new Gallery(link, at("gallery"), styles);
  const panel = new Panel(link, at("panel"), at("tools"), rows, styles);
  const byName = new Map(styles.map((style) => [style.name, style]));
  const titleOf = (name) => byName.get(name)?.title || name;
  if (possible) {
    at("styles-hint").textContent += " Drop a painting here: it becomes one.";
    gallery.takePaintings((style) => {
      byName.set(style.name, style);
      hang();
    }, tell);
  }
  new Jobs(link, at("jobs"), titleOf, tell);

  const cameras = new Cameras(at("camera"));

  const own = {
    camera: () => cameras.open(),
    full_screen: () => (document.fullscreenElement ? document.exitFullscreen() : at("wall").requestFullscreen()),
    display: () => document.body.classList.toggle("without-figures"),
    help: () => at("keys").showModal(),
    quit: () => at("ending").showModal(),
  };
  addTools(own);
  listKeys(at("keys-list"), rows);
  listenToKeys(link, rows, own);
  at("ending").addEventListener("close", () => {
    if (at("ending").returnValue === "end") link.act("quit");
    at("ending").returnValue = "";
  });
  at("picture").addEventListener("size", () => {
    at("frame").style.setProperty("--shape", `${at("picture").width} / ${at("picture").height}`);
  });

  link.addEventListener("open", () => {
    link.ask("thumbnails");
    at("absent").hidden = true;
  });
  link.addEventListener("lost", () => {
    at("absent").textContent = "The show has ended, or cannot be reached. This page goes on when it is back.";
    at("absent").hidden = false;
  });
  let actions = null; // as they were told last
  // Say what is painted in, and mark it in the gallery: of a style that is new, its state may be known before it is there itself.
  const hang = () => {
    if (!actions) return;
    gallery.show(actions);
    [at("title").textContent, at("artist").textContent] = caption(actions, (name) => byName.get(name));
    at("drop-style").textContent = at("title").textContent;
  };
  link.addEventListener("state", ({ detail }) => {
    const { notice } = detail;
    actions = detail.actions;
    panel.show(actions);
    hang();
    said.show = actions.pause ? notice || "Paused" : notice;
    showNotice();
    at("recording").hidden = !actions.record;
    at("recording").classList.toggle("waiting", actions.pause);
    document.body.dataset.painting = detail.painting;
  });
  link.addEventListener("thumbnails", async ({ detail }) => {
    if (Object.keys(detail).some((name) => !byName.has(name))) {
      for (const style of await fetchJson("/api/styles")) {
        if (!byName.has(style.name)) gallery.add(style);
        byName.set(style.name, style);
      }
      hang();
    }
    gallery.refresh(detail);
  });
  link.addEventListener("error", ({ detail }) => tell(detail));
  link.addEventListener("figures", ({ detail }) => {
    const size = detail.width === detail.painted_width ? "" : `, painted at ${detail.painted_width} × ${detail.painted_height}`;
    at("figures").replaceChildren(
      element("b", {}, String(picture.rate)), " frames/s ",
      element("b", {}, String(Math.max(detail.page_age_ms, 0))), " ms old",
    );
    at("figures").title = `${detail.width} × ${detail.height}${size}. ${detail.engine}. The show itself: ${detail.fps} frames/s.`;
  });
  link.open();
}

// Say something over the picture for a moment, on this page only.
function tell(words) {
  said.page = words;
  setTimeout(() => {
    if (said.page === words) said.page = "";
    showNotice();
  }, SAID);
  showNotice();
}

function showNotice() {
  at("notice").textContent = said.page || said.show;
}

function addTools(own) {
  const tool = (name, label, path, act) => {
    const button = element("button", { type: "button", className: `tool tool-${name}`, onclick: act }, icon("", path), element("span", {}, label));
    at("tools").append(button);
    return button;
  };
  tool("camera", "Camera", CAMERA, own.camera);
  tool("full_screen", "Full screen", FULL, own.full_screen);
  tool("keys", "Keys", KEYS, own.help);
  tool("phone", "On a phone", PHONE, showPhone);
  tool("quit", "End the show", END, own.quit);
}

async function showPhone() {
  const answer = await fetch("/api/link.svg");
  at("code").hidden = !answer.ok;
  if (answer.ok) at("code").src = URL.createObjectURL(await answer.blob());
  at("phone-words").textContent = answer.ok
    ? "Scan this with a phone in the same network. It may then see and steer the show, too."
    : "Only this computer can see the show now. Start it with --host 0.0.0.0 to let phones in your network in.";
  at("phone").showModal();
}

async function fetchJson(address) {
  const answer = await fetch(address);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

start().catch((error) => {
  at("absent").textContent = `The page could not be set up: ${error.message}`;
  at("absent").hidden = false;
});
