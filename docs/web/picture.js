// The picture on the page: painted anew whenever the source has a new one, or something was set.

const STEP = 8; // pixels: the network takes sides that are multiples of it
const LONGEST = 1280; // pixels of the longer side
const SECOND = 1000;

export class Picture {
  #source = null;
  #moments = [];
  #changed = false;
  #wake = () => {};

  // `look` is a function that says how to paint: vector, strength, texture, mirror, pause, and scale.
  constructor(canvas, painter, look) {
    this.canvas = canvas;
    this.painter = painter;
    this.look = look;
    this.milliseconds = 0;
  }

  get source() {
    return this.#source;
  }

  set source(source) {
    this.#source?.close();
    this.#source = source;
    this.change();
  }

  // Paint anew, even what stands still.
  change() {
    this.#source?.hold?.(this.look().pause);
    this.#changed = true;
    this.#wake();
  }

  // Pictures painted in the last second.
  get rate() {
    const now = performance.now();
    this.#moments = this.#moments.filter((moment) => now - moment < SECOND);
    return this.#moments.length;
  }

  // Paint for ever; stops only with an error.
  async run() {
    const context = this.canvas.getContext("2d", { alpha: false });
    for (;;) {
      await this.#next();
      const { pause, scale, ...look } = this.look();
      const started = performance.now();
      const source = this.#source;
      const image = await source.picture().catch((error) => {
        if (source === this.#source) throw error;
      });
      if (!image) continue; // another source came, and this one is closed
      const size = fitted(image, scale);
      const { pixels, width, height } = await this.painter.paint(image, { ...look, ...size });
      if (this.canvas.width !== width || this.canvas.height !== height) {
        Object.assign(this.canvas, { width, height });
        this.canvas.dispatchEvent(new Event("size"));
      }
      context.putImageData(new ImageData(pixels, width, height), 0, 0);
      this.milliseconds = performance.now() - started;
      this.#moments.push(performance.now());
      this.canvas.dataset.drawn = 1 + Number(this.canvas.dataset.drawn ?? 0);
      this.canvas.dispatchEvent(new Event("drawn"));
    }
  }

  async #next() {
    if (!this.#changed) {
      await new Promise((resolve) => {
        this.#wake = resolve;
        if (this.#source?.moving) this.#source.next().then(resolve);
      });
    }
    this.#changed = false;
  }
}

// The size at which a picture is painted: at most `LONGEST`, times a share.
export function fitted({ width, height }, share, longest = LONGEST) {
  const factor = share * Math.min(1, longest / Math.max(width, height));
  const side = (length) => Math.max(STEP, Math.round((length * factor) / STEP) * STEP);
  return { width: side(width), height: side(height) };
}
