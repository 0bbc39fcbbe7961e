// How a gradient of a value came about.

import { digits, f32, ravel, unravel } from "./numbers.js";
import { mark, notKept, place, pooled, range, term } from "./terms.js";

const OTHER = { left: "right", right: "left" };

export function ofGradient(state, stage, side, k) {
  if (stage === state.layers.length) return ofEmbeddingGradient(state, side, k);
  const { values, gradients } = state.twins[side], layer = state.layers[stage];
  const found = LAYERS[layer.kind](
    { state, layer, x: values[stage], dy: gradients[stage + 1], k, stage, side });
  return { ...found, shown: gradients[stage][k], compared: `${side}.gradient.${stage}` };
}

const LAYERS = {
  conv2d({ state, layer, dy, k, stage, side }) {
    const [C] = layer.in, [O, P, Q] = layer.out, K = layer.kernel, [c, r, s] = unravel(k, layer.in);
    const w = state.params[`${layer.name}.weight`], terms = [];
    for (let o = 0; o < O; o++)
      for (let i = 0; i < K; i++)
        for (let j = 0; j < K; j++) {
          const p = r - i, q = s - j;
          if (p >= 0 && q >= 0 && p < P && q < Q)
            terms.push(term(`o=${o} i=${i} j=${j}`,
              dy[ravel([o, p, q], layer.out)], w[ravel([o, c, i, j], [0, C, K, K])]));
        }
    const [p, q] = [Math.max(0, r - K + 1), Math.max(0, s - K + 1)];
    return {
      title: `gradient at the input of ${layer.name}, c=${c} row ${r} column ${s} of the ${side} twin`,
      equation: "dx[c,r,s] = Σ over o,i,j of dy[o,r−i,s−j] · w[o,c,i,j]",
      factors: ["dy", "w"], terms,
      marks: range(O).map((o) => mark(`gradient.${stage + 1}.${side}`, ravel([o, p, q], layer.out),
        Math.min(r, P - 1) - p + 1, Math.min(s, Q - 1) - q + 1)),
    };
  },
  linear({ state, layer, dy, k, stage, side }) {
    const [I] = layer.in, [O] = layer.out, w = state.params[`${layer.name}.weight`];
    const title = `gradient at the input of ${layer.name}, k=${k} of the ${side} twin`;
    const equation = "dx[k] = Σ over o of dy[o] · w[o,k]";
    if (!w) return { title, equation, terms: [], lines: [notKept(layer)], marks: [] };
    return { title, equation, factors: ["dy", "w"],
      terms: range(O).map((o) => term(`o=${o}`, dy[o], w[o * I + k])),
      marks: [mark(`value.${stage}.${side}`, k)] };
  },
  relu({ layer, x, dy, k, stage, side }) {
    return {
      title: `gradient before the rectifier, ${place(k, layer.in)} of the ${side} twin`,
      equation: "dx = dy where x > 0, else 0",
      lines: [`x = ${digits(x[k])}, dy = ${digits(dy[k])}`,
        x[k] > 0 ? "x is above zero: dy passes" : "x is not above zero: nothing passes"],
      terms: [], marks: [mark(`gradient.${stage + 1}.${side}`, k), mark(`value.${stage}.${side}`, k)],
    };
  },
  max_pool2d({ layer, x, dy, k, stage, side }) {
    const [, P, Q] = layer.out, K = layer.kernel, [c, r, s] = unravel(k, layer.in);
    const [p, q] = [Math.floor(r / K), Math.floor(s / K)];
    const title = `gradient before pooling, ${place(k, layer.in)} of the ${side} twin`;
    const equation = "dx = dy for the largest of the window, else 0";
    if (p >= P || q >= Q)
      return { title, equation, lines: ["no window reads it: 0"], terms: [], marks: [] };
    const n = ravel([c, p, q], layer.out), found = pooled(layer, x, n);
    return { title, equation, window: found, terms: [],
      lines: [found.winner === k ? `it won its window: dy = ${digits(dy[n])} comes here`
        : `${place(found.winner, layer.in)} won the window: 0 comes here`],
      marks: [mark(`gradient.${stage + 1}.${side}`, n)] };
  },
  scale({ layer, dy, k, stage, side }) {
    return {
      title: `gradient before scaling, ${place(k, layer.in)} of the ${side} twin`,
      equation: "dx = factor · dy",
      lines: [`dy = ${digits(dy[k])}, factor = ${digits(layer.factor)}`],
      terms: [], marks: [mark(`gradient.${stage + 1}.${side}`, k)],
    };
  },
  flatten({ layer, k, stage, side }) {
    return {
      title: `gradient before flattening, ${place(k, layer.in)} of the ${side} twin`,
      equation: "the same number, at its place in the maps", lines: [],
      terms: [], marks: [mark(`gradient.${stage + 1}.${side}`, k)],
    };
  },
};

function ofEmbeddingGradient(state, side, k) {
  const end = state.layers.length, g = state.differenceGradient[k];
  const mine = state.twins[side].values[end][k], other = state.twins[OTHER[side]].values[end][k];
  const sign = Math.sign(mine - other);
  return {
    title: `gradient of the ${side} embedding, d=${k}`,
    equation: "dz[d] = ddifference[d] · sign(this − other)",
    shown: state.twins[side].gradients[end][k], terms: [], marks: [mark("difference.gradient", k)],
    lines: [`${digits(g)} · sign(${digits(mine)} − ${digits(other)}) = ${digits(f32(g * sign))}`],
  };
}
