// What explanations are made of: products, places in plots, the window of a pooled number.

import { winners } from "./network.js";
import { count, ravel, sizeOf, unravel } from "./numbers.js";

export function term(where, a, b) {
  return { where, a, b, product: a * b };
}

export function ranked(terms) {
  return [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
}

export function mark(plot, k, rows = 1, columns = 1) {
  return { plot, k, rows, columns };
}

export function place(k, shape) {
  const names = shape.length === 3 ? ["c", "row", "column"] : ["k"];
  return unravel(k, shape).map((n, axis) => `${names[axis]} ${n}`).join(", ");
}

export function range(n) {
  return [...Array(n).keys()];
}

export function pooled(layer, x, n) {
  const [, , W] = layer.in, [c, p, q] = unravel(n, layer.out), K = layer.kernel;
  const corner = ravel([c, p * K, q * K], layer.in), winner = winners(layer, x)[n];
  const rows = range(K).map((i) => range(K).map((j) => {
    const k = corner + i * W + j;
    return { value: x[k], won: k === winner };
  }));
  return { corner, winner, rows };
}

export function notKept(layer) {
  return `the ${count(sizeOf(layer.weight))} weights of ${layer.name} are in the page for the last moment only`;
}
