// Numbers of float32 as text, and how far two of them are apart.

export const f32 = Math.fround;

export const UNIT_ROUNDOFF = 2 ** -24;

// The smallest number above zero.
export const SMALLEST = 2 ** -149;

// The shortest text that gives the same float32, as NumPy prints it.
export function digits(x) {
  for (let precision = 1; precision < 9 && Number.isFinite(x); precision++) {
    const short = Number(x.toPrecision(precision));
    if (f32(short) === x) return plain(short);
  }
  return Number.isFinite(x) ? plain(Number(x.toPrecision(9))) : String(x);
}

// Small numbers with their power of ten.
function plain(x) {
  return x !== 0 && Math.abs(x) < 1e-4 ? x.toExponential() : String(x);
}

// A float64, in as many digits as tell it from its neighbours in float32.
export function long(x) {
  return plain(Number(x.toPrecision(10)));
}

export function rough(x) {
  return plain(Number(x.toPrecision(3)));
}

export function count(n) {
  return n.toLocaleString("en");
}

export function units(n) {
  return `${count(n)} ${n === 1 ? "unit" : "units"}`;
}

// How many float32 lie between two of them, one end counted.
export function ulpsApart(a, b) {
  return Math.abs(place(a) - place(b));
}

const real = new Float32Array(1);
const bits = new Int32Array(real.buffer);

function place(x) {
  real[0] = x;
  return bits[0] < 0 ? -(bits[0] & 0x7fffffff) : bits[0];
}

// γₙ = n·u / (1 − n·u): what n roundings to float32 may do (Higham 2002, chapter 3).
export function gamma(n) {
  return (n * UNIT_ROUNDOFF) / (1 - n * UNIT_ROUNDOFF);
}

// Where the k-th of the numbers of an array of this shape lies.
export function unravel(k, shape) {
  const index = [];
  for (const size of [...shape].reverse()) {
    index.unshift(k % size);
    k = Math.floor(k / size);
  }
  return index;
}

export function ravel(index, shape) {
  return index.reduce((k, i, axis) => k * shape[axis] + i, 0);
}

export function sizeOf(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

export function largest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
