// Photos and films: drop them anywhere on the page, see how far they are, and save what is painted.

import { element, icon } from "./panel.js";

const SAVE = "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14";
const REMOVE = "M6 6l12 12M18 6 6 18";
const SIZES = [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]];

export class Jobs {
  #items = new Map(); // by id: what the list shows of a job
  #coming = new Map(); // by file: what it shows of an upload

  // `titleOf` gives a style's title from its name; `say` tells people something.
  constructor(link, section, titleOf, say) {
    this.list = section.querySelector("ul");
    this.titleOf = titleOf;
    this.say = say;
    const chosen = section.querySelector("input");
    section.querySelector("button").onclick = () => chosen.click();
    chosen.onchange = () => {
      this.send([...chosen.files]);
      chosen.value = "";
    };
    link.addEventListener("open", () => link.ask("jobs"));
    link.addEventListener("jobs", ({ detail }) => this.show(detail));
    listenToDrops((files) => this.send(files));
  }

  // Show all jobs, the newest first.
  show(rows) {
    const known = new Set(rows.map((row) => row.id));
    for (const [id, item] of this.#items) {
      if (known.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    for (const row of rows.toReversed()) {
      if (!this.#items.has(row.id)) {
        this.#items.set(row.id, this.#item(row));
        this.list.prepend(this.#items.get(row.id));
      }
      this.#fill(this.#items.get(row.id), row);
    }
  }

  // Send files one after another.
  async send(files) {
    const known = files.filter((file) => !file.type || /^(image|video)\//.test(file.type));
    if (known.length < files.length) this.say("Photos and films can be painted here, and nothing else.");
    const waiting = known.map((file) => [file, this.#arriving(file)]);
    for (const [file, item] of waiting) await this.#upload(file, item);
  }

  #arriving(file) {
    const item = job(file.name);
    set(item, "Waiting to be sent");
    this.list.prepend(item);
    return item;
  }

  #upload(file, item) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest(); // which tells how far it is, as fetch does not
      const over = (words) => {
        item.remove();
        if (words) this.say(`${file.name}: ${words}`);
        resolve();
      };
      request.open("POST", `/api/jobs?name=${encodeURIComponent(file.name)}`);
      request.responseType = "json";
      request.upload.onprogress = ({ loaded, total }) => set(item, `Sending, ${inBytes(loaded)} of ${inBytes(total)}`, loaded / total);
      request.onload = () => {
        if (request.status === 201) this.show([...this.#rows(), request.response]);
        over(request.status === 201 ? "" : (request.response?.error ?? "It was not taken."));
      };
      request.onerror = () => over("It was not taken: the connection broke off.");
      request.onabort = () => over("");
      button(item, REMOVE, `Do not send ${file.name}`, () => request.abort());
      request.send(file);
    });
  }

  #rows() {
    return [...this.#items.values()].map((item) => item.row).reverse();
  }

  #item(row) {
    const item = job(row.name);
    item.dataset.job = row.id;
    return item;
  }

  #fill(item, row) {
    if (JSON.stringify(item.row) === JSON.stringify(row)) return;
    const before = item.row;
    item.row = row;
    const [words, share] = state(row);
    item.dataset.state = row.state;
    set(item, words, share);
    item.querySelector(".style-name").textContent = this.titleOf(row.style);
    item.title = row.words;
    if (row.preview && row.preview !== before?.preview) {
      item.querySelector("img").src = `/api/jobs/${row.id}/preview?v=${row.preview}`;
      item.classList.add("seen");
    }
    if (row.state === before?.state) return;
    item.querySelector(".does").replaceChildren();
    if (row.state === "done") {
      const save = element("a", { className: "save", href: `/api/jobs/${row.id}/painted`, download: "", title: "Save it" }, icon("", SAVE));
      save.setAttribute("aria-label", `Save ${row.name}, painted`);
      item.querySelector(".does").append(save);
    }
    const over = row.state === "done" || row.state === "failed";
    button(item, REMOVE, `${over ? "Remove" : "Cancel"} ${row.name}`, () => fetch(`/api/jobs/${row.id}`, { method: "DELETE" }));
  }
}

// How a job stands, in words, and how far it is.
function state(row) {
  if (row.state === "failed") return [row.words];
  if (row.state === "done") return [`Painted, ${inBytes(row.size)}`];
  if (row.state === "waiting") return ["Waits for its turn"];
  if (!row.frame && row.kind === "video") return ["Getting ready"];
  if (row.kind === "photo") return ["Painting"];
  const share = row.frames ? Math.min(row.frame / row.frames, 1) : undefined;
  const left = row.seconds_left == null ? `frame ${row.frame}` : `${inTime(row.seconds_left)} left`;
  return [share === undefined ? left : `${Math.floor(100 * share)} %, ${left}`, share];
}

function job(name) {
  const image = element("img", { alt: "", src: "/studio/empty.svg" });
  const bar = element("progress", { max: 1, hidden: true });
  bar.setAttribute("aria-label", `How far ${name} is`);
  const words = element("p", { className: "how" });
  const about = element("div", { className: "about" }, element("p", { className: "name" }, name), element("p", { className: "style-name" }), words, bar);
  return element("li", {}, image, about, element("div", { className: "does" }));
}

function set(item, words, share) {
  const bar = item.querySelector("progress");
  item.querySelector(".how").textContent = words;
  bar.hidden = share === undefined;
  if (share !== undefined) bar.value = share;
}

function button(item, path, label, act) {
  const made = element("button", { type: "button", title: label.split(" ")[0], onclick: act }, icon("", path));
  made.setAttribute("aria-label", label);
  item.querySelector(".does").append(made);
}

function inBytes(size) {
  const [unit, name] = SIZES.find(([least]) => size >= least) ?? [1, "bytes"];
  return `${(size / unit).toFixed(unit >= 1e6 ? 1 : 0)} ${name}`;
}

function inTime(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.ceil(seconds)} s`;
}

// Files may be dropped anywhere; while they are over the page, it says what will become of them.
function listenToDrops(drop) {
  const has = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  const over = (by) => {
    depth = Math.max(0, depth + by);
    document.body.classList.toggle("dropping", depth > 0);
  };
  addEventListener("dragenter", (event) => has(event) && over(1));
  addEventListener("dragleave", (event) => has(event) && over(-1));
  addEventListener("dragover", (event) => {
    if (!has(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", (event) => {
    if (!has(event)) return;
    over(-depth);
    if (event.defaultPrevented) return; // the gallery has it
    event.preventDefault();
    drop([...event.dataTransfer.files]);
  });
}
