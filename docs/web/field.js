// The texture field that strokes hang on where the photo is plain, number by number that of realtime_nst/style/field.py.
//
// It is made here, in a fifth of a second, because it would be the largest part of the download.
// Reference: Matsumoto, Nishimura: Mersenne twister (1998); Marsaglia, Bray: a convenient method for generating normal
// variables (1964). NumPy's legacy generator is made of these two.

const PERIOD = 2048; // pixels, along both axes
const SEED = 2048;
const SMOOTH = 0.8;
const REACH = 4;
const WORDS = 624;
const tori = new Map();

// The field of a picture: a Float32Array, (height / part, width / part, channels), by how many pixels lie between two values.
export function field(part, channels, width, height) {
  const [rows, columns, side] = [height / part, width / part, PERIOD / part];
  if (!tori.has(part)) tori.set(part, torus(part, channels));
  const whole = tori.get(part);
  const found = new Float32Array(rows * columns * channels);
  for (let row = 0, at = 0; row < rows; row++) {
    const line = (row % side) * side * channels;
    for (let column = 0; column < columns; column += side) {
      const count = Math.min(side, columns - column) * channels;
      found.set(whole.subarray(line, line + count), at);
      at += count;
    }
  }
  return found;
}

function torus(part, channels) {
  const side = PERIOD / part;
  const normal = normals(SEED + part);
  let noise = new Float32Array(side * side * channels);
  for (let index = 0; index < noise.length; index++) noise[index] = normal();
  for (const step of [side * channels, channels]) noise = blurred(noise, step, side);
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
  const deviation = Math.sqrt(noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length);
  return noise.map((value) => (value - mean) / deviation);
}

// Blurred along an axis, round and round: `step` numbers lie between neighbours, of which there are `side`.
function blurred(noise, step, side) {
  const weights = Array.from({ length: 2 * REACH + 1 }, (_, tap) => Math.exp(-0.5 * ((tap - REACH) / SMOOTH) ** 2));
  const found = new Float32Array(noise.length);
  for (let start = 0; start < noise.length; start += step * side) {
    for (let place = 0; place < side; place++) {
      const here = start + place * step;
      for (let tap = 0; tap <= 2 * REACH; tap++) {
        const there = start + ((place + REACH - tap + side) % side) * step;
        for (let index = 0; index < step; index++) found[here + index] += weights[tap] * noise[there + index];
      }
    }
  }
  return found;
}

function normals(seed) {
  const uniform = uniforms(seed);
  let kept = null;
  return () => {
    if (kept !== null) {
      const value = kept;
      kept = null;
      return value;
    }
    let x, y, square;
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const scale = Math.sqrt((-2 * Math.log(square)) / square);
    kept = scale * x;
    return scale * y;
  };
}

function uniforms(seed) {
  const state = new Uint32Array(WORDS);
  state[0] = seed;
  for (let index = 1; index < WORDS; index++) {
    state[index] = Math.imul(1812433253, state[index - 1] ^ (state[index - 1] >>> 30)) + index;
  }
  let next = WORDS;
  const word = () => {
    if (next === WORDS) {
      for (let index = 0; index < WORDS; index++) {
        const mixed = (state[index] & 0x80000000) | (state[(index + 1) % WORDS] & 0x7fffffff);
        state[index] = state[(index + 397) % WORDS] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
      }
      next = 0;
    }
    let value = state[next++];
    value ^= value >>> 11;
    value ^= (value << 7) & 0x9d2c5680;
    value ^= (value << 15) & 0xefc60000;
    return (value ^ (value >>> 18)) >>> 0;
  };
  return () => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;
}
