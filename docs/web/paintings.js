// The styles' small pictures, and paintings of the visitor that become styles.

import { element } from "./studio/panel.js";
import { fitted } from "./picture.js";
import { tell } from "./tools.js";

const SMALL = 224; // pixels of a small picture's longer side

// Show a style as it paints.
export function hang(name, address) {
  const item = document.querySelector(`[data-style="${CSS.escape(name)}"]`);
  item.querySelector("img").src = address;
  item.classList.add("painted");
}

// A function that makes a style of a file. `sample` is what small pictures show, `limits` say which paintings will do.
export function learning({ painter, show, gallery, sample, limits }) {
  return async (file) => {
    const painting = await createImageBitmap(file);
    const { width, height } = painting;
    if (Math.min(width, height) < limits.least) {
      throw new Error(`It has ${width} × ${height} pixels; at least ${limits.least} × ${limits.least} were expected.`);
    }
    tell("Looking at the painting …");
    const vector = await painter.encode(painting, limits);
    const style = { name: file.name, title: file.name.replace(/\.\w+$/, ""), artist: "Your painting", year: "", vector };
    if (!show.style(style.name)) document.getElementById("set-other").append(new Option(style.title, style.name));
    show.add(style);
    gallery.add(style);
    show.act("style", style.name);
    tell("");
    const look = { ...fitted(sample, 1, SMALL), vector: Float32Array.from(vector), strength: 1, texture: 1, mirror: false };
    hang(style.name, await addressOf(await painter.paint(await createImageBitmap(sample), look)));
  };
}

async function addressOf({ pixels, width, height }) {
  const canvas = element("canvas", { width, height });
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return URL.createObjectURL(await new Promise((resolve) => canvas.toBlob(resolve)));
}
