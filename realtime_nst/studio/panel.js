// Sliders, switches and buttons, made from the table of actions: what is new there is here, too.

import { percent } from "./gallery.js";

const HEADINGS = { style: "Mix", look: "Brush", time: "Change" };
const OWN = new Set(["style", "next", "quit"]); // the gallery's, and what has a question before it
const HAND = 400; // milliseconds for which a hand that moves a slider knows best where it is
const SHARES = new Set(["strength", "texture", "mix", "scale"]);
const ICONS = {
  snapshot: "M4 8h3l2-3h6l2 3h3v11H4zM12 10.2a3.3 3.3 0 1 0 0 6.6 3.3 3.3 0 0 0 0-6.6",
  record: "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12",
  pause: "M8 6v12M16 6v12",
  mirror: "M12 4v16M8.5 7.5 4 16.5h4.5zM15.5 7.5 20 16.5h-4.5z",
  wipe: "M4 6h16v12H4zM12 6v12M15 9.5v.01M17.5 12v.01M15 14.5v.01",
};

export class Panel {
  #shown = new Map(); // by action: how its control shows a value

  constructor(link, panel, tools, rows, styles) {
    this.link = link;
    this.styles = styles;
    for (const [group, heading] of Object.entries(HEADINGS)) {
      const own = rows.filter((row) => row.group === group && !OWN.has(row.name));
      if (!own.length) continue;
      const section = element("section", { ariaLabel: heading });
      section.append(element("h2", {}, heading), ...own.map((row) => this.#control(row)));
      panel.append(section);
    }
    const toolbar = rows.filter((row) => row.group === "show" && !OWN.has(row.name));
    tools.append(...toolbar.map((row) => this.#tool(row)));
  }

  // Show what is set.
  show(actions) {
    for (const [name, value] of Object.entries(actions)) this.#shown.get(name)?.(value);
  }

  #control(row) {
    const build = { number: this.#slider, switch: this.#switch, style: this.#select, choice: this.#segments };
    return (build[row.kind] ?? this.#tool).call(this, row);
  }

  #slider(row) {
    const steps = row.snaps ? row.steps : null;
    const input = element("input", { type: "range", id: `set-${row.name}` });
    input.min = steps ? 0 : row.steps[0];
    input.max = steps ? steps.length - 1 : Math.max(row.steps.at(-1), SHARES.has(row.name) ? 1 : 0);
    input.step = steps || row.whole ? 1 : 0.01;
    const value = () => (steps ? steps[Number(input.value)] : Number(input.value));
    const output = element("output", { htmlFor: input.id });
    const fill = () => {
      const text = inWords(row, value());
      output.textContent = text;
      input.setAttribute("aria-valuetext", text);
      input.style.setProperty("--share", `${(100 * (input.value - input.min)) / (input.max - input.min)}%`);
    };
    let moving = -Infinity;
    input.oninput = () => {
      moving = performance.now();
      fill();
      this.link.slide(row.name, value());
    };
    let late = 0;
    const show = (now) => {
      clearTimeout(late);
      const wait = moving + HAND - performance.now();
      if (wait > 0) {
        late = setTimeout(show, wait, now);
        return;
      }
      input.value = steps ? nearest(steps, now) : now;
      fill();
      if (steps) output.textContent = inWords(row, now);
    };
    this.#shown.set(row.name, show);
    const label = element("label", { htmlFor: input.id, title: row.help }, row.label);
    return element("div", { className: "slider" }, label, output, input);
  }

  #switch(row) {
    const input = element("input", { type: "checkbox", id: `set-${row.name}` });
    input.onchange = () => this.link.act(row.name, input.checked);
    this.#shown.set(row.name, (on) => (input.checked = on));
    const label = element("label", { htmlFor: input.id, title: row.help }, row.label);
    return element("div", { className: "switch" }, label, input);
  }

  #select(row) {
    const input = element("select", { id: `set-${row.name}` });
    for (const style of this.styles) input.append(new Option(style.title || style.name, style.name));
    input.onchange = () => this.link.act(row.name, input.value);
    this.#shown.set(row.name, (name) => (input.value = name));
    const label = element("label", { htmlFor: input.id, title: row.help }, row.label);
    return element("div", { className: "choice" }, label, input);
  }

  #segments(row) {
    const group = element("div", { className: "segments", title: row.help });
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", row.label);
    for (const choice of row.choices) {
      const input = element("input", { type: "radio", name: `set-${row.name}`, value: choice, id: `set-${row.name}-${choice}` });
      input.onchange = () => this.link.act(row.name, choice);
      const label = element("label", { htmlFor: input.id }, choice);
      group.append(input, label);
    }
    this.#shown.set(row.name, (now) => {
      for (const input of group.querySelectorAll("input")) input.checked = input.value === now;
    });
    return group;
  }

  #tool(row) {
    if (row.kind === "choice") {
      const named = element("div", { className: "tool-choice" }, this.#segments(row));
      named.prepend(icon(row.name), element("span", { ariaHidden: "true" }, row.label));
      named.title = row.help;
      return named;
    }
    const button = element("button", { type: "button", className: `tool tool-${row.name}`, title: row.help });
    button.append(icon(row.name), element("span", {}, row.label));
    button.onclick = () => this.link.act(row.name);
    if (row.kind === "switch") {
      this.#shown.set(row.name, (on) => button.setAttribute("aria-pressed", String(on)));
    }
    return button;
  }
}

export function element(kind, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(kind), properties);
  if (properties.htmlFor !== undefined) made.setAttribute("for", properties.htmlFor);
  made.append(...inside);
  return made;
}

export function icon(name, path = ICONS[name]) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path ?? "M12 5v14M5 12h14");
  drawing.append(line);
  return drawing;
}

function inWords(row, value) {
  if (SHARES.has(row.name) || (row.highest === 1 && !row.snaps)) return percent(value);
  if (row.name.endsWith("_seconds")) return `${Number(value.toFixed(2))} s`;
  return value === 0 ? "off" : String(value);
}

function nearest(steps, value) {
  return steps.reduce((best, step, index) => (Math.abs(step - value) < Math.abs(steps[best] - value) ? index : best), 0);
}
