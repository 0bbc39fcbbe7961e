// What the page brought along: a description as JSON, and numbers as compressed bytes.

import { backward, fillTwin, forward, SIDES, weightGradients } from "./network.js";
import { ulpsApart } from "./numbers.js";

export async function readPayload() {
  const about = JSON.parse(document.getElementById("about").textContent);
  const text = document.getElementById("numbers").textContent.trim();
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = unshuffled(new Uint8Array(await new Response(stream).arrayBuffer()));
  const tensors = {};
  for (const { name, start, size } of about.tensors)
    tensors[name] = floats(buffer, start, size);
  return { about, tensors };
}

// The first bytes of all numbers come first, then their second bytes, and so on: so they pack better.
function unshuffled(planes) {
  const n = planes.length / 4, bytes = new Uint8Array(planes.length);
  for (let k = 0; k < n; k++)
    for (let place = 0; place < 4; place++) bytes[4 * k + place] = planes[place * n + k];
  return bytes.buffer;
}

// Numbers are little-endian in the page, whatever the machine is.
function floats(buffer, start, size) {
  const view = new DataView(buffer, 4 * start, 4 * size), found = new Float32Array(size);
  for (let k = 0; k < size; k++) found[k] = view.getFloat32(4 * k, true);
  return found;
}

// The network and the pair at one moment of the training.
export class State {
  constructor(payload, index) {
    const { about, tensors } = payload, own = part(tensors, `${index}.`);
    Object.assign(this, about.states[index], { index, layers: about.layers, target: about.target, own });
    this.params = part(own, "weight.");
    this.momentum = part(own, "momentum.");
    this.torch = part(own, "torch.");
    this.twins = {};
    for (const side of SIDES) {
      const brought = part(own, `${side}.`);
      const image = tensors[`image.${side}`];
      this.twins[side] = fillTwin(
        this.layers, image, this.params, brought, brought[`gradient.${this.layers.length}`]);
    }
    this.difference = own["difference"];
    this.differenceGradient = own["difference.gradient"];
    this.grads = { ...part(own, "grad."), ...this.headGradients() };
    for (const layer of this.layers.filter((one) => one.name)) this.fillGradients(layer);
  }

  get hasAllWeights() {
    return this.layers.every((layer) => !layer.name || this.params[`${layer.name}.weight`]);
  }

  headGradients() {
    const { logitGradient: g } = this;
    return { "fc1.weight": this.difference.map((d) => g * d), "fc1.bias": Float32Array.of(g) };
  }

  fillGradients(layer) {
    if (this.grads[`${layer.name}.weight`]) return;
    const k = this.layers.indexOf(layer), { left, right } = this.twins;
    const twins = [left, right].map((t) => ({ x: t.values[k], dy: t.gradients[k + 1] }));
    const { weight, bias } = weightGradients(layer, twins);
    this.grads[`${layer.name}.weight`] = weight;
    if (layer.bias) this.grads[`${layer.name}.bias`] = bias;
  }

  // Compute here what NumPy sent, from what NumPy sent for the step before. Compare.
  comparison() {
    let numbers = 0, unequal = 0, ulps = 0;
    const compare = (mine, numpys) => numpys.forEach((x, k) => {
      numbers += 1;
      if (mine[k] !== x) { unequal += 1; ulps = Math.max(ulps, ulpsApart(mine[k], x)); }
    });
    for (const { values, gradients } of Object.values(this.twins))
      for (const [k, layer] of this.layers.entries()) {
        compare(forward(layer, values[k], this.params), values[k + 1]);
        compare(backward(layer, values[k], gradients[k + 1], this.params), gradients[k]);
      }
    return { numbers, unequal, ulps };
  }
}

function part(tensors, prefix) {
  return Object.fromEntries(Object.entries(tensors)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length), value]));
}
