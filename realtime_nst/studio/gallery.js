// The styles, each painted small from what the camera sees: click one to paint in it, drag one onto another to mix them.

const KIND = "application/x-style";

export class Gallery {
  #items = new Map();
  #versions = {};

  constructor(link, list, styles) {
    this.link = link;
    this.list = list;
    for (const style of styles) this.add(style);
  }

  // Have a further style; it takes the place of one of its name.
  add(style) {
    const item = this.#item(style);
    const before = this.#items.get(style.name)?.closest("li");
    this.#items.set(style.name, item);
    delete this.#versions[style.name]; // its picture is to be fetched anew
    if (before) before.replaceWith(item.closest("li"));
    else this.list.append(item.closest("li"));
  }

  // Take paintings that are dropped on the gallery as styles. `added` is told of each, `say` of what goes wrong.
  takePaintings(added, say) {
    this.list.addEventListener("drop", async (event) => {
      const paintings = [...event.dataTransfer.files].filter((file) => file.type.startsWith("image/"));
      if (!paintings.length) return;
      event.preventDefault();
      for (const file of paintings) {
        const answer = await fetch(`/api/styles?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
        const found = await answer.json();
        if (!answer.ok) {
          say(`${file.name}: ${found.error}`);
          continue;
        }
        this.add(found);
        added(found);
      }
    });
  }

  // Mark what is painted: the style, and the one that is mixed in.
  show({ style, other, mix }) {
    for (const [name, item] of this.#items) {
      const chosen = name === style;
      const mixed = mix > 0 && name === other;
      if (chosen && item.getAttribute("aria-pressed") === "false") item.scrollIntoView({ block: "nearest", inline: "nearest" });
      item.setAttribute("aria-pressed", String(chosen));
      item.classList.toggle("mixed", mixed);
      item.querySelector(".share").textContent = chosen && mix > 0 ? percent(1 - mix) : mixed ? percent(mix) : "";
    }
  }

  // Fetch the thumbnails that are new.
  refresh(versions) {
    for (const [name, version] of Object.entries(versions)) {
      const item = this.#items.get(name);
      if (!item || this.#versions[name] === version) continue;
      this.#versions[name] = version;
      const fresh = new Image();
      fresh.onload = () => {
        item.querySelector("img").src = fresh.src;
        item.classList.add("painted");
      };
      fresh.src = `/api/styles/${encodeURIComponent(name)}/thumbnail.jpg?v=${version}`;
    }
  }

  #item(style) {
    const row = document.createElement("li");
    const item = document.createElement("button");
    item.type = "button";
    item.className = "style";
    item.draggable = true;
    item.dataset.style = style.name;
    item.setAttribute("aria-pressed", "false");
    const image = document.createElement("img");
    image.alt = "";
    image.draggable = false;
    image.src = new URL("empty.svg", import.meta.url).href;
    item.append(picture(image), words("title", style.title || style.name), words("artist", byline(style)));
    if (style.number <= 10) item.append(words("number", String(style.number % 10)));
    item.append(words("share", ""));
    item.onclick = () => this.link.act("style", style.name);
    item.ondragstart = (event) => {
      event.dataTransfer.setData(KIND, style.name);
      event.dataTransfer.setData("text/plain", style.title || style.name);
      event.dataTransfer.effectAllowed = "copy";
      event.dataTransfer.setDragImage(image, image.width / 2, image.height / 2);
      document.body.classList.add("mixing");
    };
    item.ondragend = () => document.body.classList.remove("mixing");
    item.ondragover = (event) => {
      if (!event.dataTransfer.types.includes(KIND)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      item.classList.add("over");
    };
    item.ondragleave = () => item.classList.remove("over");
    item.ondrop = (event) => {
      item.classList.remove("over");
      const dropped = event.dataTransfer.getData(KIND);
      if (!dropped) return;
      event.preventDefault();
      this.mix(style.name, dropped);
    };
    row.append(item);
    return item;
  }

  // Paint half in one style and half in another.
  mix(style, other) {
    this.link.act("style", style);
    if (style === other) return;
    this.link.act("other", other);
    this.link.act("mix", 0.5);
  }
}

export function byline(style) {
  return [style.artist, style.year].filter(Boolean).join(", ");
}

// What hangs here, as a plaque beside a painting says it: a title, and who painted it. `find` gives a style by its name.
export function caption({ style, other, mix }, find) {
  const first = find(style) ?? { title: style, artist: "", year: "" };
  const second = find(other);
  const name = (known) => known.title || known.name;
  if (mix > 0 && second) {
    const artists = [first.artist, second.artist].filter(Boolean).join(" and ");
    return [`${name(first)} ${percent(1 - mix)}, ${name(second)} ${percent(mix)}`, artists];
  }
  return [name(first), byline(first) || "A mix"];
}

export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function picture(image) {
  const frame = document.createElement("span");
  frame.className = "thumbnail";
  frame.append(image);
  return frame;
}

function words(kind, text) {
  const part = document.createElement("span");
  part.className = kind;
  part.textContent = text;
  return part;
}
