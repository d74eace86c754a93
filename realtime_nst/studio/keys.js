// The same keys as in the window. What they do there to the window itself, the page does to itself.

const NAMES = { " ": "space", Escape: "esc", "=": "+", _: "-", "<": ",", ">": ".", 0: "10" };
const SIGNS = { 10: "0" };

// Listen to the keyboard. `own` does what a page does by itself, by the names of actions.
export function listenToKeys(link, rows, own) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const name = NAMES[event.key] ?? event.key.toLowerCase();
    const row = rows.find((candidate) => candidate.keys.includes(name));
    if (!row || isBusy(event.target, name)) return;
    event.preventDefault();
    if (own[row.name]) own[row.name]();
    else link.act(row.name, valueOf(row, name));
  });
}

// Fill a list with all keys.
export function listKeys(list, rows) {
  for (const row of rows.filter((candidate) => candidate.keys.length)) {
    const term = document.createElement("dt");
    const signs = row.keys.map((key) => SIGNS[key] ?? key);
    for (const sign of signs.length > 2 ? [signs[0], "to", signs.at(-1)] : signs) {
      const part = document.createElement(sign === "to" ? "span" : "kbd");
      part.textContent = sign;
      term.append(part, " ");
    }
    const meaning = document.createElement("dd");
    meaning.textContent = row.help;
    list.append(term, meaning);
  }
}

function valueOf(row, name) {
  if (row.keys.length > 2) return Number(name);
  if (row.keys.length === 2 && row.kind !== "press") return name === row.keys[0] ? "-" : "+";
  return undefined;
}

// Whether the focused control needs this key for itself.
function isBusy(target, name) {
  const kind = target.tagName;
  if (kind === "SELECT" || kind === "TEXTAREA") return true;
  if (kind === "INPUT") return !["range", "checkbox", "radio"].includes(target.type) || name === "space";
  return name === "space" && (kind === "BUTTON" || kind === "A");
}
