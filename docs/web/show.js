// How the picture is painted, as the studio's link to a show has it: actions by the rows of the same table, and "state" for what is set.

const START = { strength: 1, texture: 1, scale: 1, mix: 0, mirror: false, pause: false };

export class Show extends EventTarget {
  #rows;
  #styles = new Map(); // by name, in their order
  #values;

  // `rows` are of the table of actions; `first` is the style to begin with.
  constructor(rows, styles, first) {
    super();
    this.#rows = new Map(rows.map((row) => [row.name, row]));
    for (const style of styles) this.#styles.set(style.name, style);
    const other = styles.find(({ name }) => name !== first) ?? styles[0];
    this.#values = { ...START, style: first, other: other.name };
  }

  get values() {
    return { ...this.#values };
  }

  // The vector of the style, or of the mix.
  get vector() {
    const { style, other, mix } = this.#values;
    const [first, second] = [style, other].map((name) => this.#styles.get(name).vector);
    return first.map((value, index) => value + mix * (second[index] - value));
  }

  style(name) {
    return this.#styles.get(name);
  }

  // Have a further style; it takes the place of one of its name.
  add(style) {
    this.#styles.set(style.name, style);
    this.#tell();
  }

  // Do an action; without a value what its key does.
  act(name, value) {
    const row = this.#rows.get(name);
    if (row.kind === "press") {
      this.dispatchEvent(new Event(name));
      return;
    }
    const field = row.kind === "turn" ? "style" : name;
    this.#values[field] = this.#read(row, value, this.#values[field]);
    this.#tell();
  }

  slide(name, value) {
    this.act(name, value);
  }

  #read(row, value, now) {
    if (row.kind === "switch") return value === undefined ? !now : value === "+" || value === true;
    if (row.kind === "number") return read(row, value, now);
    const names = [...this.#styles.keys()];
    if (typeof value === "number") return names[value - 1] ?? now;
    if (this.#styles.has(value)) return value;
    return names.at((names.indexOf(now) + (value === "-" ? -1 : 1)) % names.length);
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("state", { detail: this.values }));
  }
}

function read({ steps, lowest, highest }, value, now) {
  if (value === undefined) return steps.find((step) => step > now) ?? steps[0];
  if (value === "+") return steps.find((step) => step > now) ?? steps.at(-1);
  if (value === "-") return steps.findLast((step) => step < now) ?? steps[0];
  return Math.min(highest, Math.max(lowest, value));
}
