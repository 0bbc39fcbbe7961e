// How a value came about: of an image, a layer, the difference, the logit.

import { SIDES } from "./network.js";
import { digits, long, ravel, unravel } from "./numbers.js";
import { mark, notKept, place, pooled, range, term } from "./terms.js";

export const EQUATIONS = {
  conv2d: "y[o,p,q] = Σ over c,i,j of w[o,c,i,j] · x[c,p+i,q+j] + b[o]",
  linear: "y[o] = Σ over k of w[o,k] · x[k] + b[o]",
  relu: "y = x where x > 0, else 0",
  max_pool2d: "y = the largest of the window",
  scale: "y = factor · x",
  flatten: "y = the maps in a row, one after the other",
};

export function ofValue(state, stage, side, k) {
  const { values } = state.twins[side];
  if (stage === 0) return ofPixel(state, side, k);
  const layer = state.layers[stage - 1], x = values[stage - 1];
  const found = LAYERS[layer.kind]({ state, layer, x, k, stage, side });
  return { ...found, equation: EQUATIONS[layer.kind], shown: values[stage][k],
    compared: `${side}.value.${stage - 1}` };
}

function ofPixel(state, side, k) {
  const { values, gradients } = state.twins[side], [, r, s] = unravel(k, state.layers[0].in);
  return {
    title: `pixel of the ${side} image, row ${r}, column ${s}`,
    equation: "a raw pixel value, 0 to 255",
    shown: values[0][k],
    lines: [`gradient of the loss: ${digits(gradients[0][k])}`],
    terms: [], marks: [mark(`gradient.0.${side}`, k)],
  };
}

const LAYERS = {
  conv2d({ state, layer, x, k, stage, side }) {
    const [C] = layer.in, K = layer.kernel, [o, p, q] = unravel(k, layer.out);
    const w = state.params[`${layer.name}.weight`], b = state.params[`${layer.name}.bias`];
    const terms = [];
    for (let c = 0; c < C; c++)
      for (let i = 0; i < K; i++)
        for (let j = 0; j < K; j++)
          terms.push(term(`c=${c} i=${i} j=${j}`,
            w[ravel([o, c, i, j], [0, C, K, K])], x[ravel([c, p + i, q + j], layer.in)]));
    return {
      title: `${layer.name}, output o=${o} p=${p} q=${q} of the ${side} twin`,
      factors: ["w", "x"], terms, bias: b[o], patches: patches(terms, C, K),
      marks: [...range(C).map((c) => mark(`value.${stage - 1}.${side}`, ravel([c, p, q], layer.in), K, K)),
        ...range(C).map((c) => mark(`weight.${layer.name}.weight`, ravel([o, c, 0, 0], [0, C, K, K]), K, K))],
    };
  },
  linear({ state, layer, x, k, side }) {
    const [I] = layer.in, w = state.params[`${layer.name}.weight`];
    const title = `${layer.name}, output o=${k} of the ${side} twin`;
    if (!w) return { title, terms: [], lines: [notKept(layer)], marks: [] };
    const terms = range(I).map((i) => term(`k=${i}`, w[k * I + i], x[i]));
    return { title, factors: ["w", "x"], terms,
      bias: state.params[`${layer.name}.bias`]?.[k],
      marks: [mark(`weight.${layer.name}.weight`, k * I, 1, I)] };
  },
  relu({ layer, x, k, stage, side }) {
    return {
      title: `rectified, ${place(k, layer.out)} of the ${side} twin`,
      lines: [`x = ${digits(x[k])}, so y = ${x[k] > 0 ? "x" : "0"}`],
      terms: [], marks: [mark(`value.${stage - 1}.${side}`, k)],
    };
  },
  max_pool2d({ state, layer, x, k, stage, side }) {
    const found = pooled(layer, x, k);
    return {
      title: `pooled, ${place(k, layer.out)} of the ${side} twin`,
      lines: [`${place(found.winner, layer.in)} won, the first of the largest`,
        `its gradient ${digits(state.twins[side].gradients[stage][k])} went there alone`],
      window: found, terms: [],
      marks: [mark(`value.${stage - 1}.${side}`, found.corner, layer.kernel, layer.kernel),
        mark(`gradient.${stage - 1}.${side}`, found.winner)],
    };
  },
  scale({ layer, x, k, stage, side }) {
    return {
      title: `scaled, ${place(k, layer.out)} of the ${side} twin`,
      lines: [`x = ${digits(x[k])}, factor = ${digits(layer.factor)}`],
      terms: [], marks: [mark(`value.${stage - 1}.${side}`, k)],
    };
  },
  flatten({ layer, k, stage, side }) {
    return {
      title: `flattened, number ${k} of the ${side} twin`,
      lines: [`it is ${place(k, layer.in)}`], terms: [], marks: [mark(`value.${stage - 1}.${side}`, k)],
    };
  },
};

function patches(terms, C, K) {
  return range(C).map((c) => {
    const own = terms.slice(c * K * K, (c + 1) * K * K);
    return { c, K, terms: own, sum: own.reduce((total, t) => total + t.product, 0) };
  });
}

export function ofDifference(state, k) {
  const end = state.layers.length, w = state.params["fc1.weight"][k];
  const { left, right } = state.twins, [a, b] = [left, right].map((twin) => twin.values[end][k]);
  return {
    title: `difference of the embeddings, d=${k}`,
    equation: "difference[d] = |left[d] − right[d]|; it adds w[d] · difference[d] to the logit",
    shown: state.difference[k], terms: [],
    lines: [`|${digits(a)} − ${digits(b)}| = ${digits(state.difference[k])}`,
      `w[d] = ${digits(w)}, so it adds ${long(w * state.difference[k])} to the logit`,
      `gradient: dlogit · w[d] = ${digits(state.logitGradient)} · ${digits(w)} = ${digits(state.differenceGradient[k])}`],
    marks: SIDES.map((side) => mark(`value.${end}.${side}`, k)),
  };
}

export function ofLogit(state) {
  const w = state.params["fc1.weight"], b = state.params["fc1.bias"][0];
  const terms = range(w.length).map((d) => term(`d=${d}`, w[d], state.difference[d]));
  return { title: "the logit", equation: "logit = Σ over d of w[d] · difference[d] + b",
    factors: ["w", "difference"], terms, bias: b, shown: state.logit, compared: "logit", marks: [],
    lines: [`gradient of the loss: dlogit = ${digits(state.logitGradient)}`, slopeInWords(state)] };
}

// p − t is what sigmoid and cross-entropy leave together, as long as neither of them was rounded to 0 or 1.
function slopeInWords({ probability: p, target: t, logitGradient: g }) {
  const told = `p − t = ${digits(p)} − ${t}, where t is 1 for a pair of the same class and 0 for another`;
  return Math.abs(g - (p - t)) < 1e-5 ? `up to rounding this is ${told}`
    : `without rounding it would be ${told}; but p came too close to 0 or 1`;
}
