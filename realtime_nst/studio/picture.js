// The picture: the newest frame is asked for when the one before is drawn, so that a slow page is never behind.

const SECOND = 1000;

export class Picture {
  #drawn = [];

  constructor(link, canvas) {
    this.canvas = canvas;
    const context = canvas.getContext("2d", { alpha: false });
    const ask = () => {
      if (!document.hidden && link.connected) link.ask("frame");
    };
    link.addEventListener("open", ask);
    document.addEventListener("visibilitychange", ask);
    link.addEventListener("frame", async ({ detail }) => {
      try {
        const image = await createImageBitmap(detail);
        if (canvas.width !== image.width || canvas.height !== image.height) {
          canvas.width = image.width;
          canvas.height = image.height;
          canvas.dispatchEvent(new Event("size"));
        }
        context.drawImage(image, 0, 0);
        image.close();
        this.#count();
      } finally {
        ask();
      }
    });
  }

  // Pictures drawn in the last second.
  get rate() {
    const now = performance.now();
    this.#drawn = this.#drawn.filter((moment) => now - moment < SECOND);
    return this.#drawn.length;
  }

  #count() {
    this.#drawn.push(performance.now());
    if (this.#drawn.length > 200) this.#drawn.shift();
    this.canvas.dataset.drawn = 1 + Number(this.canvas.dataset.drawn ?? 0);
  }
}
