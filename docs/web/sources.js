// What is painted: a photo, or the visitor's camera.

const ASKED = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

export class Photo {
  moving = false;

  constructor(bitmap) {
    this.bitmap = bitmap;
  }

  picture() {
    return createImageBitmap(this.bitmap);
  }

  close() {}
}

export class Camera {
  moving = true;
  #video = document.createElement("video");

  // Open a camera: the one that the browser would take, or one by its number.
  static async open(number = null) {
    if (!navigator.mediaDevices) throw new Error("Browsers give cameras to pages of https:// only.");
    const devices = number === null ? [] : await cameras();
    const device = devices.length ? { deviceId: { exact: devices[number % devices.length].deviceId } } : {};
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...ASKED, ...device } });
    const camera = new Camera();
    camera.#video.srcObject = stream;
    camera.#video.muted = camera.#video.playsInline = true;
    await camera.#video.play();
    return camera;
  }

  picture() {
    return createImageBitmap(this.#video);
  }

  // Wait for the next picture; it does not come while nobody looks at the page.
  next() {
    return new Promise((resolve) => {
      if (this.#video.requestVideoFrameCallback) this.#video.requestVideoFrameCallback(resolve);
      else requestAnimationFrame(resolve);
    });
  }

  hold(still) {
    if (still) this.#video.pause();
    else if (this.#video.paused) this.#video.play().catch(() => {}); // held again before it went on
  }

  close() {
    for (const track of this.#video.srcObject.getTracks()) track.stop();
    this.#video.srcObject = null;
  }
}

export async function cameras() {
  return (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
}
