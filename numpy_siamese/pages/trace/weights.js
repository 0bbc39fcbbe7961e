// How the gradient of a weight or bias came about, and what a step of SGD makes of it.

import { SIDES } from "./network.js";
import { digits, f32, ravel, unravel } from "./numbers.js";
import { mark, notKept, ranked, term } from "./terms.js";

const MOST_MARKED = 8;

export function ofWeight(state, name, k) {
  const value = state.params[name]?.[k];
  const layer = state.layers.find((one) => one.name && name.startsWith(`${one.name}.`));
  const lines = [value === undefined ? notKept(layer) : `value ${letter(name)} = ${digits(value)}`,
    ...nextValue(state, name, k)];
  if (name === `${state.layers.at(-1).name}.bias`)
    lines.push("the twins' gradients cancel: what moves both embeddings alike changes no difference");
  const found = layer ? ofLayer(state, layer, name, k) : ofHead(state, name, k);
  return { ...found, shown: state.grads[name][k], shownAs: "gradient", lines, compared: `grad.${name}` };
}

// One step of SGD on this pair alone, as `optim.SGD` takes it.
function nextValue(state, name, k) {
  const w = state.params[name]?.[k], m = state.momentum[name]?.[k], g = state.grads[name][k];
  if (w === undefined || !state.sgd) return [];
  const { lr, momentum } = state.sgd;
  if (m === undefined && momentum && state.batches > 0)
    return [state.hasAllWeights ? "momentum: the run has lost its checkpoint"
      : "momentum: kept for the last moment only"];
  const before = momentum ? "no momentum before the first step" : "the run has no momentum";
  const buffer = m !== undefined ? f32(f32(m * f32(momentum)) + g) : g;
  return [
    m === undefined ? before : `momentum buffer m = ${digits(m)}`,
    `after a step on this pair: m ← ${momentum}·m + gradient = ${digits(buffer)}`,
    `${letter(name)} ← ${letter(name)} − ${lr}·m = ${digits(f32(w - f32(lr) * buffer))}`,
  ];
}

function letter(name) {
  return name.endsWith("bias") ? "b" : "w";
}

function ofHead(state, name, k) {
  const g = state.logitGradient, isBias = name.endsWith("bias"), where = isBias ? "" : `d=${k}`;
  return { title: isBias ? name : `${name}, ${where}`, factors: ["dlogit", "difference"],
    equation: isBias ? "db = dlogit" : "dw[d] = dlogit · difference[d]",
    terms: [term(where, g, isBias ? 1 : state.difference[k])], marks: [] };
}

function ofLayer(state, layer, name, k) {
  const stage = state.layers.indexOf(layer), isBias = name.endsWith("bias"), terms = [];
  const conv = layer.kind === "conv2d";
  const index = unravel(k, isBias ? [layer.out[0]] : layer.weight);
  const [o, c = 0, i = 0, j = 0] = index, [, P = 1, Q = 1] = layer.out;
  for (const side of SIDES) {
    const x = state.twins[side].values[stage], dy = state.twins[side].gradients[stage + 1];
    for (let p = 0; p < P; p++)
      for (let q = 0; q < Q; q++) {
        const from = ravel([o, p, q], [0, P, Q]), at = conv ? ravel([c, p + i, q + j], layer.in) : c;
        const where = conv ? `${side} p=${p} q=${q}` : side;
        terms.push({ ...term(where, dy[from], isBias ? 1 : x[at]),
          marks: [mark(`gradient.${stage + 1}.${side}`, from),
            ...(isBias ? [] : [mark(`value.${stage}.${side}`, at)])] });
      }
  }
  const names = conv ? ["o", "c", "i", "j"] : ["o", "k"];
  const equation = isBias ? "db[o] = Σ over both twins and all places of dy"
    : conv ? "dw[o,c,i,j] = Σ over both twins, p, q of dy[o,p,q] · x[c,p+i,q+j]"
      : "dw[o,k] = Σ over both twins of dy[o] · x[k]";
  const largest = ranked(terms).slice(0, MOST_MARKED).filter((t) => t.product !== 0);
  return { title: `${name}, ${index.map((n, axis) => `${names[axis]}=${n}`).join(" ")}`, equation,
    factors: ["dy", isBias ? "1" : "x"], terms,
    marks: [mark(`weight.${name}`, k), mark(`grad.${name}`, k), ...largest.flatMap((t) => t.marks)] };
}
