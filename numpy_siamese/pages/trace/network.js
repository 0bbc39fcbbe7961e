// The layers, forward and back. Sums are taken in float64 and rounded to float32 once, as in
// `numpy_siamese.tracing`. A layer is a description: kind, name, kernel, and the shapes in and out.

import { f32 } from "./numbers.js";

export const SIDES = ["left", "right"];

const rounded = (sums) => Float32Array.from(sums);

const FORWARD = {
  conv2d(layer, x, w, b) {
    const [C, H, W] = layer.in, [O, P, Q] = layer.out, K = layer.kernel;
    const y = new Float64Array(O * P * Q);
    for (let o = 0; o < O; o++)
      for (let p = 0; p < P; p++)
        for (let q = 0; q < Q; q++) {
          let sum = 0, k = o * C * K * K;
          for (let c = 0; c < C; c++)
            for (let i = 0; i < K; i++)
              for (let j = 0; j < K; j++, k++)
                sum += w[k] * x[(c * H + p + i) * W + q + j];
          y[(o * P + p) * Q + q] = sum + b[o];
        }
    return rounded(y);
  },
  linear(layer, x, w, b) {
    const [I] = layer.in, [O] = layer.out;
    const y = new Float64Array(O);
    for (let o = 0; o < O; o++) {
      let sum = 0;
      for (let i = 0; i < I; i++) sum += w[o * I + i] * x[i];
      y[o] = sum + (b?.[o] ?? 0);
    }
    return rounded(y);
  },
  relu: (layer, x) => x.map((v) => (v > 0 ? v : 0)),
  max_pool2d(layer, x) {
    return rounded(winners(layer, x).map((k) => x[k]));
  },
  scale: (layer, x) => rounded(Float64Array.from(x, (v) => layer.factor * v)),
  flatten: (layer, x) => x,
};

const BACKWARD = {
  conv2d(layer, x, dy, w) {
    const [C, H, W] = layer.in, [O, P, Q] = layer.out, K = layer.kernel;
    const dx = new Float64Array(C * H * W);
    for (let o = 0; o < O; o++)
      for (let p = 0; p < P; p++)
        for (let q = 0; q < Q; q++) {
          const g = dy[(o * P + p) * Q + q];
          if (g === 0) continue;
          let k = o * C * K * K;
          for (let c = 0; c < C; c++)
            for (let i = 0; i < K; i++)
              for (let j = 0; j < K; j++, k++)
                dx[(c * H + p + i) * W + q + j] += g * w[k];
        }
    return rounded(dx);
  },
  linear(layer, x, dy, w) {
    const [I] = layer.in, [O] = layer.out;
    const dx = new Float64Array(I);
    for (let o = 0; o < O; o++)
      for (let i = 0; i < I; i++) dx[i] += dy[o] * w[o * I + i];
    return rounded(dx);
  },
  relu: (layer, x, dy) => dy.map((g, k) => (x[k] > 0 ? g : 0)),
  max_pool2d(layer, x, dy) {
    const dx = new Float32Array(x.length);
    winners(layer, x).forEach((k, n) => { dx[k] = dy[n]; });
    return dx;
  },
  scale: (layer, x, dy) => rounded(Float64Array.from(dy, (g) => layer.factor * g)),
  flatten: (layer, x, dy) => dy,
};

// Which number of its input each pooled number is: the first of equal ones, row by row.
export function winners(layer, x) {
  const [C, H, W] = layer.in, [, P, Q] = layer.out, K = layer.kernel;
  const found = new Array(C * P * Q);
  for (let c = 0; c < C; c++)
    for (let p = 0; p < P; p++)
      for (let q = 0; q < Q; q++) {
        let best = (c * H + p * K) * W + q * K;
        for (let i = 0; i < K; i++)
          for (let j = 0; j < K; j++) {
            const k = (c * H + p * K + i) * W + q * K + j;
            if (x[k] > x[best]) best = k;
          }
        found[(c * P + p) * Q + q] = best;
      }
  return found;
}

export function forward(layer, x, params) {
  return FORWARD[layer.kind](layer, x, params[`${layer.name}.weight`], params[`${layer.name}.bias`]);
}

export function backward(layer, x, dy, params) {
  return BACKWARD[layer.kind](layer, x, dy, params[`${layer.name}.weight`]);
}

// The gradients of a layer's weight and bias, summed over the twins: [{x, dy}, {x, dy}].
export function weightGradients(layer, twins) {
  const [O] = layer.out, conv = layer.kind === "conv2d";
  const [C, H, W] = conv ? layer.in : [layer.in[0], 1, 1];
  const [P, Q] = conv ? layer.out.slice(1) : [1, 1], K = conv ? layer.kernel : 1;
  const dw = new Float64Array(O * C * K * K), db = new Float64Array(O);
  for (const { x, dy } of twins) {
    const ofTwin = new Float64Array(dw.length);
    for (let o = 0; o < O; o++)
      for (let p = 0; p < P; p++)
        for (let q = 0; q < Q; q++) {
          const g = dy[(o * P + p) * Q + q];
          if (g === 0) continue;
          db[o] += g;
          let k = o * C * K * K;
          for (let c = 0; c < C; c++)
            for (let i = 0; i < K; i++)
              for (let j = 0; j < K; j++, k++) ofTwin[k] += g * x[(c * H + p + i) * W + q + j];
        }
    ofTwin.forEach((sum, k) => { dw[k] += sum; });
  }
  return { weight: rounded(dw), bias: rounded(db) };
}

// The head: from two embeddings to the logit and the probability of the same class.
export function verdict(left, right, w, b) {
  const difference = left.map((v, d) => Math.abs(v - right[d]));
  let sum = 0;
  for (let d = 0; d < w.length; d++) sum += w[d] * difference[d];
  const logit = f32(sum + b[0]);
  return { difference, logit, probability: f32(1 / (1 + Math.exp(-logit))) };
}

// All numbers of a twin. What the page brought along is taken, the rest computed.
export function fillTwin(layers, image, params, brought, embeddingGradient) {
  const values = [image];
  for (const [k, layer] of layers.entries())
    values.push(brought[`value.${k}`] ?? forward(layer, values[k], params));
  const gradients = new Array(values.length);
  gradients[layers.length] = embeddingGradient;
  for (let k = layers.length - 1; k >= 0; k--)
    gradients[k] = brought[`gradient.${k}`]
      ?? backward(layers[k], values[k], gradients[k + 1], params);
  return { values, gradients };
}
