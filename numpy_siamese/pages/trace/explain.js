// How a number came about: the products whose sum it is, or the choice that was made.
// Each function returns an explanation, which `inspector.js` shows.

import { digits, f32, gamma, long, ravel, sizeOf, SMALLEST, ulpsApart, unravel, UNIT_ROUNDOFF } from "./numbers.js";
import { winners } from "./network.js";

const OTHER = { left: "right", right: "left" };

// key: value|gradient . stage . side, or weight.NAME, or grad.NAME, or difference[.gradient]
export function explain(state, key, k) {
  const [what, ...rest] = key.split(".");
  if (what === "weight" || what === "grad") return ofWeight(state, rest.join("."), k);
  if (what === "difference") return ofDifference(state, k);
  if (what === "logit") return ofLogit(state);
  const stage = Number(rest[0]), side = rest[1];
  return what === "value" ? ofValue(state, stage, side, k) : ofGradient(state, stage, side, k);
}

function ofValue(state, stage, side, k) {
  const { values } = state.twins[side];
  if (stage === 0) return ofPixel(state, side, k);
  const layer = state.layers[stage - 1], x = values[stage - 1], shown = values[stage][k];
  const found = VALUE[layer.kind](state, layer, x, k, stage, side);
  return finished(state, { ...found, shown }, `${side}.value.${stage - 1}`, k);
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

const VALUE = {
  conv2d(state, layer, x, k, stage, side) {
    const [C, H, W] = layer.in, K = layer.kernel, [o, p, q] = unravel(k, layer.out);
    const w = state.params[`${layer.name}.weight`], b = state.params[`${layer.name}.bias`];
    const terms = [];
    for (let c = 0; c < C; c++)
      for (let i = 0; i < K; i++)
        for (let j = 0; j < K; j++)
          terms.push(term(`c=${c} i=${i} j=${j}`,
            w[ravel([o, c, i, j], [0, C, K, K])], x[ravel([c, p + i, q + j], layer.in)]));
    return {
      title: `${layer.name}, output o=${o} p=${p} q=${q} of the ${side} twin`,
      equation: "y[o,p,q] = Σ over c,i,j of w[o,c,i,j] · x[c,p+i,q+j] + b[o]",
      factors: ["w", "x"], terms, bias: b[o], patches: patches(terms, C, K),
      marks: [...range(C).map((c) => mark(`value.${stage - 1}.${side}`, ravel([c, p, q], layer.in), K, K)),
        ...range(C).map((c) => mark(`weight.${layer.name}.weight`, ravel([o, c, 0, 0], [0, C, K, K]), K, K))],
    };
  },
  linear(state, layer, x, k, stage, side) {
    const [I] = layer.in, w = state.params[`${layer.name}.weight`];
    const title = `${layer.name}, output o=${k} of the ${side} twin`;
    const equation = "y[o] = Σ over k of w[o,k] · x[k] + b[o]";
    if (!w) return { title, equation, terms: [], lines: [NOT_KEPT(layer)], marks: [] };
    const terms = range(I).map((i) => term(`k=${i}`, w[k * I + i], x[i]));
    return { title, equation, factors: ["w", "x"], terms,
      bias: state.params[`${layer.name}.bias`][k],
      marks: [mark(`weight.${layer.name}.weight`, k * I, 1, I)] };
  },
  relu(state, layer, x, k, stage, side) {
    return {
      title: `rectified, ${place(k, layer.out)} of the ${side} twin`,
      equation: "y = x where x > 0, else 0",
      lines: [`x = ${digits(x[k])}, so y = ${x[k] > 0 ? "x" : "0"}`],
      terms: [], marks: [mark(`value.${stage - 1}.${side}`, k)],
    };
  },
  max_pool2d(state, layer, x, k, stage, side) {
    const found = pooled(layer, x, k);
    return {
      title: `pooled, ${place(k, layer.out)} of the ${side} twin`,
      equation: "y = the largest of the window",
      lines: [`${place(found.winner, layer.in)} won, the first of the largest`,
        `its gradient ${digits(state.twins[side].gradients[stage][k])} went there alone`],
      window: found, terms: [],
      marks: [mark(`value.${stage - 1}.${side}`, found.corner, layer.kernel, layer.kernel),
        mark(`gradient.${stage - 1}.${side}`, found.winner)],
    };
  },
  flatten(state, layer, x, k, stage, side) {
    return {
      title: `flattened, number ${k} of the ${side} twin`,
      equation: "the maps in a row, one after the other",
      lines: [`it is ${place(k, layer.in)}`], terms: [], marks: [mark(`value.${stage - 1}.${side}`, k)],
    };
  },
};

function ofGradient(state, stage, side, k) {
  const { values, gradients } = state.twins[side], shown = gradients[stage][k];
  if (stage === state.layers.length) return ofEmbeddingGradient(state, side, k, shown);
  const layer = state.layers[stage], x = values[stage], dy = gradients[stage + 1];
  const found = GRADIENT[layer.kind](state, layer, x, dy, k, stage, side);
  const key = layer.name ? `${side}.gradient.${stage}` : "";
  return finished(state, { ...found, shown }, key, k);
}

const GRADIENT = {
  conv2d(state, layer, x, dy, k, stage, side) {
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
  linear(state, layer, x, dy, k, stage, side) {
    const [I] = layer.in, [O] = layer.out, w = state.params[`${layer.name}.weight`];
    const title = `gradient at the input of ${layer.name}, k=${k} of the ${side} twin`;
    const equation = "dx[k] = Σ over o of dy[o] · w[o,k]";
    if (!w) return { title, equation, terms: [], lines: [NOT_KEPT(layer)], marks: [] };
    return { title, equation, factors: ["dy", "w"],
      terms: range(O).map((o) => term(`o=${o}`, dy[o], w[o * I + k])),
      marks: [mark(`value.${stage}.${side}`, k)] };
  },
  relu(state, layer, x, dy, k, stage, side) {
    return {
      title: `gradient before the rectifier, ${place(k, layer.in)} of the ${side} twin`,
      equation: "dx = dy where x > 0, else 0",
      lines: [`x = ${digits(x[k])}, dy = ${digits(dy[k])}`,
        x[k] > 0 ? "x is above zero: dy passes" : "x is not above zero: nothing passes"],
      terms: [], marks: [mark(`gradient.${stage + 1}.${side}`, k), mark(`value.${stage}.${side}`, k)],
    };
  },
  max_pool2d(state, layer, x, dy, k, stage, side) {
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
  flatten(state, layer, x, dy, k, stage, side) {
    return {
      title: `gradient before flattening, ${place(k, layer.in)} of the ${side} twin`,
      equation: "the same number, at its place in the maps", lines: [],
      terms: [], marks: [mark(`gradient.${stage + 1}.${side}`, k)],
    };
  },
};

function ofEmbeddingGradient(state, side, k, shown) {
  const end = state.layers.length, g = state.differenceGradient[k];
  const mine = state.twins[side].values[end][k], other = state.twins[OTHER[side]].values[end][k];
  const sign = Math.sign(mine - other);
  return {
    title: `gradient of the ${side} embedding, d=${k}`,
    equation: "dz[d] = ddifference[d] · sign(this − other)",
    shown, terms: [], marks: [mark("difference.gradient", k)],
    lines: [`${digits(g)} · sign(${digits(mine)} − ${digits(other)}) = ${digits(f32(g * sign))}`],
  };
}

function ofDifference(state, k) {
  const end = state.layers.length, w = state.params["fc1.weight"][k];
  const { left, right } = state.twins, [a, b] = [left, right].map((twin) => twin.values[end][k]);
  return {
    title: `difference of the embeddings, d=${k}`,
    equation: "difference[d] = |left[d] − right[d]|; it adds w[d] · difference[d] to the logit",
    shown: state.difference[k], terms: [],
    lines: [`|${digits(a)} − ${digits(b)}| = ${digits(state.difference[k])}`,
      `w[d] = ${digits(w)}, so it adds ${long(w * state.difference[k])} to the logit`,
      `gradient: dlogit · w[d] = ${digits(state.logitGradient)} · ${digits(w)} = ${digits(state.differenceGradient[k])}`],
    marks: ["left", "right"].map((side) => mark(`value.${end}.${side}`, k)),
  };
}

function ofLogit(state) {
  const w = state.params["fc1.weight"], b = state.params["fc1.bias"][0];
  const terms = range(w.length).map((d) => term(`d=${d}`, w[d], state.difference[d]));
  return finished(state, {
    title: "the logit", equation: "logit = Σ over d of w[d] · difference[d] + b",
    factors: ["w", "difference"], terms, bias: b, shown: state.logit, marks: [] }, "logit", 0);
}

function ofWeight(state, name, k) {
  const value = state.params[name]?.[k], gradient = state.grads[name][k];
  const found = gradientTerms(state, name, k);
  const learned = nextValue(state, name, k), last = state.layers.at(-1);
  if (name === `${last.name}.bias`)
    learned.push("the twins' gradients cancel: what moves both embeddings alike changes no difference");
  const lines = [value === undefined ? NOT_KEPT(state.layers.find((l) => name.startsWith(l.name)))
    : `value w = ${digits(value)}`, ...learned];
  return finished(state, { ...found, shown: gradient, lines, shownAs: "gradient" }, `grad.${name}`, k);
}

// One step of SGD on this pair alone, as `optim.SGD` takes it.
function nextValue(state, name, k) {
  const w = state.params[name]?.[k], m = state.momentum[name]?.[k], g = state.grads[name][k];
  const { lr, momentum } = state.sgd;
  if (w === undefined) return [];
  if (m === undefined && momentum && state.batches > 0)
    return [state.hasAllWeights ? "momentum: the run has lost its checkpoint"
      : "momentum: kept for the last moment only"];
  const buffer = m !== undefined ? f32(f32(m * f32(momentum)) + g) : g;
  const before = momentum ? "no momentum before the first step" : "the run has no momentum";
  return [
    m === undefined ? before : `momentum buffer m = ${digits(m)}`,
    `after a step on this pair: m ← ${momentum}·m + gradient = ${digits(buffer)}`,
    `w ← w − ${lr}·m = ${digits(f32(w - f32(lr) * buffer))}`,
  ];
}

function gradientTerms(state, name, k) {
  const [layer] = state.layers.filter((one) => one.name && name.startsWith(`${one.name}.`));
  if (!layer) {
    const g = state.logitGradient, isBias = name.endsWith("bias");
    return { title: `${name}${isBias ? "" : `, d=${k}`}`, factors: ["dlogit", "difference"],
      equation: isBias ? "db = dlogit" : "dw[d] = dlogit · difference[d]",
      terms: [term(isBias ? "" : `d=${k}`, g, isBias ? 1 : state.difference[k])], marks: [] };
  }
  const stage = state.layers.indexOf(layer), isBias = name.endsWith("bias"), terms = [], marks = [];
  const conv = layer.kind === "conv2d", K = layer.kernel;
  const index = isBias ? [k] : unravel(k, conv ? [layer.out[0], layer.in[0], K, K] : [layer.out[0], layer.in[0]]);
  const [o, c = 0, i = 0, j = 0] = index, [, P = 1, Q = 1] = layer.out;
  for (const side of ["left", "right"]) {
    const x = state.twins[side].values[stage], dy = state.twins[side].gradients[stage + 1];
    for (let p = 0; p < P; p++)
      for (let q = 0; q < Q; q++) {
        const at = conv ? ravel([c, p + i, q + j], layer.in) : c;
        const where = conv ? `${side} p=${p} q=${q}` : side;
        terms.push({ ...term(where, dy[(o * P + p) * Q + q], isBias ? 1 : x[at]),
          marks: [mark(`gradient.${stage + 1}.${side}`, (o * P + p) * Q + q),
            ...(isBias ? [] : [mark(`value.${stage}.${side}`, at)])] });
      }
  }
  const names = conv ? ["o", "c", "i", "j"] : ["o", "k"];
  const equation = isBias ? "db[o] = Σ over both twins and all places of dy"
    : conv ? "dw[o,c,i,j] = Σ over both twins, p, q of dy[o,p,q] · x[c,p+i,q+j]"
      : "dw[o,k] = Σ over both twins of dy[o] · x[k]";
  const largest = ranked(terms).slice(0, 8).filter((t) => t.product !== 0);
  return { title: `${name}, ${index.map((n, axis) => `${names[axis]}=${n}`).join(" ")}`, equation,
    factors: ["dy", isBias ? "1" : "x"], terms,
    marks: [...marks, mark(`weight.${name}`, k), mark(`grad.${name}`, k), ...largest.flatMap((t) => t.marks)] };
}

// Add up the terms, compare with the number shown, and set PyTorch's number beside it.
function finished(state, found, key, k) {
  const { terms = [], bias, shown } = found;
  if (terms.length) {
    const sum = terms.reduce((total, t) => total + t.product, 0) + (bias ?? 0);
    found.sum = sum;
    found.apart = ulpsApart(f32(sum), shown);
  }
  const other = state.torch[key]?.[k];
  if (other !== undefined) {
    const size = terms.reduce((total, t) => total + Math.abs(t.product), Math.abs(bias ?? 0));
    const roundings = terms.length + (bias === undefined ? 0 : 1);
    found.torch = { value: other, error: Math.abs(other - shown), roundings,
      bound: terms.length ? gamma(roundings) * size + UNIT_ROUNDOFF * Math.abs(shown)
        + ((roundings + 1) * SMALLEST) / 2 : null };
  }
  return found;
}

function pooled(layer, x, n) {
  const [, H, W] = layer.in, [c, p, q] = unravel(n, layer.out), K = layer.kernel;
  const corner = ravel([c, p * K, q * K], layer.in), winner = winners(layer, x)[n];
  const rows = range(K).map((i) => range(K).map((j) => {
    const k = corner + i * W + j;
    return { value: x[k], won: k === winner };
  }));
  return { corner, winner, rows, height: H };
}

function patches(terms, C, K) {
  return range(C).map((c) => {
    const own = terms.slice(c * K * K, (c + 1) * K * K);
    return { c, K, terms: own, sum: own.reduce((total, t) => total + t.product, 0) };
  });
}

export function ranked(terms) {
  return [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
}

const NOT_KEPT = (layer) => `the ${sizeOf([layer.out[0], layer.in[0]])} weights of ${layer.name} are `
  + "in the page for the last moment only";

function term(where, a, b) {
  return { where, a, b, product: a * b };
}

function mark(plot, k, rows = 1, columns = 1) {
  return { plot, k, rows, columns };
}

function place(k, shape) {
  const names = shape.length === 3 ? ["c", "row", "column"] : ["k"];
  return unravel(k, shape).map((n, axis) => `${names[axis]} ${n}`).join(", ");
}

function range(n) {
  return [...Array(n).keys()];
}
