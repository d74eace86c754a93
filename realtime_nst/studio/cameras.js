// The cameras of this machine, each with a still, and what is missing here with its cure.

import { element } from "./panel.js";

export class Cameras {
  constructor(dialog) {
    this.dialog = dialog;
    this.list = dialog.querySelector("ul");
    this.words = dialog.querySelector("#camera-words");
    this.other = dialog.querySelector("#camera-other");
    dialog.querySelector("#camera-use").onclick = () => this.#use(this.other.value.trim());
    this.other.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.#use(this.other.value.trim());
    };
  }

  // Open the list, and look at each camera.
  async open() {
    this.words.textContent = "";
    this.dialog.showModal();
    const found = await ask("/api/cameras");
    if (found.error) {
      this.words.textContent = found.error;
      return;
    }
    this.#show(found);
    for (const item of this.list.querySelectorAll("button")) await this.#look(item);
    await this.#advise();
  }

  #show({ now, cameras, others }) {
    this.dialog.querySelector("#camera-others").hidden = !others;
    this.list.replaceChildren(
      ...cameras.map(({ camera, name }) => {
        const item = element("button", { type: "button", className: "camera", onclick: () => this.#use(camera) });
        item.append(element("img", { alt: "", src: "/studio/empty.svg" }), element("span", {}, name), element("small", {}));
        item.dataset.camera = camera;
        item.setAttribute("aria-pressed", String(camera === now));
        return element("li", {}, item);
      }),
    );
  }

  async #look(item) {
    const answer = await fetch(`/api/cameras/${item.dataset.camera}/still.jpg`);
    if (answer.ok) item.querySelector("img").src = URL.createObjectURL(await answer.blob());
    else item.querySelector("small").textContent = (await answer.json()).error;
  }

  async #use(camera) {
    if (!camera || camera === "now") return;
    this.words.textContent = "Opening it …";
    const found = await ask("/api/camera", { method: "POST", body: JSON.stringify({ camera }) });
    this.words.textContent = found.error ?? "";
    if (!found.error) this.dialog.close();
  }

  async #advise() {
    const findings = await ask("/api/doctor");
    const missing = Array.isArray(findings) ? findings.filter(({ name, state, cure }) => state !== "ok" && cure && name !== "display") : [];
    this.dialog.querySelector("#advice").hidden = missing.length === 0;
    this.dialog.querySelector("#advice dl").replaceChildren(
      ...missing.flatMap(({ name, words, cure }) => [element("dt", {}, name), element("dd", {}, `${words}. `, element("i", {}, cure))]),
    );
  }
}

async function ask(address, options) {
  try {
    return await (await fetch(address, options)).json();
  } catch {
    return { error: "The show cannot be reached." };
  }
}
