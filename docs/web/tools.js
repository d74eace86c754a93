// Buttons below the picture, and words over it.

import { element, icon } from "./studio/panel.js";

const SAID = 5000; // milliseconds
const at = (id) => document.getElementById(id);

// A button of the toolbar, by the path of its icon.
export function tool(name, label, path, act) {
  const button = element("button", { type: "button", className: `tool tool-${name}`, title: label, onclick: act });
  button.append(icon("", path), element("span", {}, label));
  at("tools").append(button);
  return button;
}

// Say something over the picture for a moment.
export function tell(words, during = SAID) {
  const notice = at("notice");
  notice.textContent = words;
  if (during === Infinity) return;
  setTimeout(() => {
    if (notice.textContent === words) notice.textContent = "";
  }, during);
}
