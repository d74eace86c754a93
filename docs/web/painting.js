// The networks in a worker, so that the page stays quick: pictures and style vectors in, paintings out.

import { field } from "./field.js";

const RUNTIMES = {
  webgpu: { code: "ort.webgpu.min.mjs", glue: "ort-wasm-simd-threaded.asyncify" },
  wasm: { code: "ort.wasm.min.mjs", glue: "ort-wasm-simd-threaded" },
};
const MOST_THREADS = 8;
const PARTS = [4, 8];
const TRIAL = 64; // pixels
const GZIP = [0x1f, 0x8b];
const here = (name) => new URL(name, import.meta.url).href;

let ort, network, encoder, tempered;
let before = Promise.resolve();

// Messages are done one after another, and each is answered with its own number.
self.onmessage = ({ data: { number, kind, ...detail } }) => {
  before = before.then(async () => {
    try {
      const answer = await { start, paint, encode }[kind](detail);
      self.postMessage({ number, answer }, answer.pixels ? [answer.pixels.buffer] : []);
    } catch (error) {
      self.postMessage({ number, error: error.message });
    }
  });
};

// On the graphics processor if there is one that can, else on the processor.
async function start() {
  let reason;
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  for (const kind of adapter ? ["webgpu", "wasm"] : ["wasm"]) {
    try {
      return await startOn(kind);
    } catch (error) {
      reason = error;
      console.warn(`${kind} does not paint here: ${error.message}`);
    }
  }
  throw reason;
}

async function startOn(kind) {
  const { code, glue } = RUNTIMES[kind];
  const cores = navigator.hardwareConcurrency; // half of them are often none of their own
  const threads = self.crossOriginIsolated ? Math.min(MOST_THREADS, cores, Math.ceil(cores / 2) + 1) : 1;
  const [runtime, binary, graph] = await Promise.all([
    import(here(`runtime/${code}`)),
    fetched(`runtime/${glue}.wasm.gz`, tellProgress).then(unpacked),
    fetched("network.onnx"),
  ]);
  ort = runtime;
  ort.env.wasm.wasmPaths = { mjs: here(`runtime/${glue}.mjs`) };
  ort.env.wasm.wasmBinary = binary;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  network = await ort.InferenceSession.create(new Uint8Array(graph), { executionProviders: [kind] });
  await painted(new Float32Array(3 * TRIAL * TRIAL), TRIAL, TRIAL, new Float32Array(shapeOf("vectors").at(-1)), 1);
  const words = kind === "webgpu" ? "WebGPU" : `WebAssembly, ${threads === 1 ? "one thread" : `${threads} threads`}`;
  return { kind, words };
}

// Paint a picture at a size, both sides of which are multiples of 8: red, green, blue and alpha of each pixel.
async function paint({ image, width, height, vector, strength, texture, mirror }) {
  const pixels = pixelsOf(image, width, height, [0, 0, image.width, image.height], mirror);
  image.close();
  const painting = await painted(floats(pixels), width, height, vector, texture);
  for (let to = 0, from = 0; to < pixels.length; to++) {
    if (to % 4 === 3) continue;
    pixels[to] += strength * (255 * painting[from++] - pixels[to]); // rounds, and stays within 0 and 255
  }
  return { pixels, width, height };
}

async function painted(images, width, height, vector, texture) {
  const given = { images: tensor(images, 1, height, width, 3), vectors: tensor(vector, 1, vector.length) };
  const { paintings } = await network.run({ ...given, ...fields(width, height, texture) });
  const found = paintings.data;
  paintings.dispose();
  return found;
}

// The style vector of a painting, by the style encoder, which is fetched for the first one.
async function encode({ image, shorter, longest }) {
  encoder ??= await ort.InferenceSession.create(new Uint8Array(await fetched("encoder.onnx")), { executionProviders: ["wasm"] });
  const [wide, high] = [Math.min(image.width, longest * image.height), Math.min(image.height, longest * image.width)];
  const [width, height] = [wide, high].map((side) => Math.round((side * shorter) / Math.min(wide, high)));
  const middle = [(image.width - wide) / 2, (image.height - high) / 2, wide, high];
  const pixels = pixelsOf(image, width, height, middle, false);
  image.close();
  const { vectors } = await encoder.run({ paintings: tensor(floats(pixels), 1, height, width, 3) });
  if (!vectors.data.every(Number.isFinite)) throw new Error("The style encoder makes nothing of it. Take another picture.");
  return { vector: vectors.data };
}

// The texture field of a size, so strong; a network without one takes none.
function fields(width, height, texture) {
  if (!network.inputNames.includes("field4")) return {};
  const key = [width, height, texture].join();
  if (tempered?.key !== key) {
    tempered = { key };
    for (const part of PARTS) {
      const channels = shapeOf(`field${part}`).at(-1);
      const numbers = field(part, channels, width, height).map((value) => texture * value);
      tempered[`field${part}`] = tensor(numbers, 1, height / part, width / part, channels);
    }
  }
  const { field4, field8 } = tempered;
  return { field4, field8 };
}

function shapeOf(name) {
  return network.inputMetadata.find((input) => input.name === name).shape;
}

function tensor(numbers, ...shape) {
  return new ort.Tensor("float32", numbers, shape);
}

function pixelsOf(image, width, height, cutout, mirror) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // where it is transparent
  context.fillRect(0, 0, width, height);
  if (mirror) context.setTransform(-1, 0, 0, 1, width, 0);
  context.drawImage(image, ...cutout, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

function floats(pixels) {
  const found = new Float32Array((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from++) if (from % 4 !== 3) found[to++] = pixels[from] / 255;
  return found;
}

async function fetched(name, progress = () => {}) {
  const answer = await fetch(here(name));
  if (!answer.ok) throw new Error(`${name} cannot be fetched (${answer.status})`);
  const all = Number(answer.headers.get("Content-Length")) || Infinity;
  let count = 0;
  const counted = new TransformStream({
    transform(piece, passed) {
      progress((count += piece.length) / all);
      passed.enqueue(piece);
    },
  });
  return new Response(answer.body.pipeThrough(counted)).arrayBuffer();
}

// What was packed; some hosts say that it is, and the browser has unpacked it already.
async function unpacked(packed) {
  const first = new Uint8Array(packed, 0, GZIP.length);
  if (!GZIP.every((byte, index) => first[index] === byte)) return packed;
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function tellProgress(share) {
  self.postMessage({ progress: Math.min(share, 1) });
}
