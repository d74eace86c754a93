// The worker that paints, as functions that promise their results.

export class Painter extends EventTarget {
  #worker = new Worker(new URL("painting.js", import.meta.url), { type: "module" });
  #asked = new Map();
  #count = 0;

  constructor() {
    super();
    this.#worker.onmessage = ({ data: { number, answer, error, progress } }) => {
      if (progress !== undefined) {
        this.dispatchEvent(new CustomEvent("progress", { detail: progress }));
        return;
      }
      const { done, failed } = this.#asked.get(number);
      this.#asked.delete(number);
      if (error === undefined) done(answer);
      else failed(new Error(error));
    };
    this.#worker.onerror = (event) => {
      for (const { failed } of this.#asked.values()) failed(new Error(event.message || "its script cannot be loaded"));
      this.#asked.clear();
    };
  }

  // Fetch everything: what paints, as a `kind` and in `words`.
  start() {
    return this.#ask("start");
  }

  // Paint an ImageBitmap, which is used up, as `look` says: `pixels` of `width` times `height`.
  paint(image, look) {
    return this.#ask("paint", { image, ...look }, [image]);
  }

  // The style vector of an ImageBitmap, which is used up.
  async encode(image, limits) {
    return (await this.#ask("encode", { image, ...limits }, [image])).vector;
  }

  #ask(kind, detail = {}, given = []) {
    return new Promise((done, failed) => {
      const number = this.#count++;
      this.#asked.set(number, { done, failed });
      this.#worker.postMessage({ number, kind, ...detail }, given);
    });
  }
}
