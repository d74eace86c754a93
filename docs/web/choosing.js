// What is to be painted, as the visitor chooses it: a photo, the camera, another camera.

import { takeFiles } from "./files.js";
import { Camera, cameras, Photo } from "./sources.js";
import { tell, tool } from "./tools.js";

const CAMERA = "M3 7h11v10H3zM14 10.5 21 7.5v9l-7-3";
const TURN = "M4 12a8 8 0 0 1 14-5.3L20 9M20 4v5h-5M20 12a8 8 0 0 1-14 5.3L4 15M4 20v-5h5";
const PHOTO = "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.01";
const REFUSED = {
  NotAllowedError: "The camera may not be used. Allow it in the browser's address bar, and try again.",
  NotFoundError: "No camera was found.",
  NotReadableError: "The camera does not open. Perhaps another program uses it.",
};
const SLOW_SHARE = 0.5;

export class Choosing {
  #photo;
  #number = null; // of the camera; null is the one that the browser would take
  #scales = { camera: 1, photo: 1 }; // as they were set last

  constructor(picture, show, photo, wall, input) {
    this.picture = picture;
    this.show = show;
    this.#photo = photo;
    this.camera = tool("camera", "Camera", CAMERA, () => {
      if (picture.source instanceof Camera) this.#use(new Photo(this.#photo));
      else this.#open(this.#number);
    });
    this.turn = tool("turn", "Other camera", TURN, () => this.#open((this.#number ?? 0) + 1));
    this.turn.hidden = true;
    takeFiles(wall, input, tool("photo", "Photo", PHOTO), async (file) => {
      this.#photo = await createImageBitmap(file);
      this.#use(new Photo(this.#photo));
    });
    this.#use(new Photo(photo));
  }

  // Paint cameras less finely at first, where the processor has to do it.
  expectSlowness() {
    this.#scales.camera = SLOW_SHARE;
  }

  async #open(number) {
    try {
      this.#use(await Camera.open(number));
      this.#number = number;
      this.turn.hidden = (await cameras()).length < 2;
    } catch (error) {
      tell(REFUSED[error.name] ?? error.message);
    }
  }

  #use(source) {
    const kind = (one) => (one instanceof Camera ? "camera" : "photo");
    this.#scales[kind(this.picture.source)] = this.show.values.scale;
    this.picture.source = source;
    this.show.act("scale", this.#scales[kind(source)]);
    this.camera.setAttribute("aria-pressed", String(source instanceof Camera));
    if (!(source instanceof Camera)) this.turn.hidden = true;
    this.picture.canvas.dataset.source = kind(source);
  }
}
