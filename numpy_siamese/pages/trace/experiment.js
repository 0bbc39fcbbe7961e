// What changes the verdict: the logit's gradient over each image, and images to paint on.

import { element } from "./dom.js";
import { fillTwin, SIDES, verdict } from "./network.js";
import { digits, largest, rough, ulpsApart, units } from "./numbers.js";

const SIZE = 28, ZOOM = 10;

export class Experiment {
  constructor(place) {
    this.place = place;
    this.ink = 255;
    this.canvases = Object.fromEntries(SIDES.map((side) => [side, this.canvas(side)]));
    this.result = element("p", { id: "painted", role: "status" });
    this.overlay = element("input", { type: "checkbox", checked: true, id: "overlay" });
    this.overlay.addEventListener("change", () => this.draw());
    const ink = element("select", { id: "ink" }, element("option", { value: "255" }, "white, 255"),
      element("option", { value: "0" }, "black, 0"));
    ink.addEventListener("change", () => { this.ink = Number(ink.value); });
    const reset = element("button", { id: "reset", type: "button" }, "restore the images");
    reset.addEventListener("click", () => this.show(this.state, this.colours));
    place.append(
      element("p", {}, "The colours say how the logit answers to a pixel: red pixels raise it, blue ones lower it, "
        + "strong ones more. Paint with the pointer, or move with the arrows and paint with Enter."),
      element("p", {}, element("label", {}, this.overlay, " the logit's gradient over the images "),
        element("label", {}, " ink ", ink), " ", reset),
      element("div", { className: "figures" }, ...SIDES.map((side) => element("figure", {},
        element("figcaption", {}, element("b", {}, `${side} image`)), this.canvases[side]))),
      this.result);
  }

  canvas(side) {
    const canvas = element("canvas", { width: SIZE * ZOOM, height: SIZE * ZOOM, tabIndex: 0,
      role: "application", "aria-roledescription": "picture to paint on",
      "aria-label": `${side} image to paint on, 28 by 28 pixels. Arrows move, Enter paints.` });
    canvas.dataset.paint = side;
    canvas.style.touchAction = "none";
    const paint = (event) => {
      if (!event.buttons) return;
      const box = canvas.getBoundingClientRect();
      this.paint(side, Math.floor(((event.clientY - box.top) / box.height) * SIZE),
        Math.floor(((event.clientX - box.left) / box.width) * SIZE));
    };
    canvas.addEventListener("pointerdown", paint);
    canvas.addEventListener("pointermove", paint);
    let row = 14, column = 14;
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (step) {
        row = Math.min(SIZE - 1, Math.max(0, row + step[0]));
        column = Math.min(SIZE - 1, Math.max(0, column + step[1]));
        this.cursor = { side, row, column };
        this.draw();
      } else if (event.key === "Enter" || event.key === " ") this.paint(side, row, column);
      else return;
      event.preventDefault();
    });
    return canvas;
  }

  show(state, colours) {
    Object.assign(this, { state, colours, cursor: null });
    this.images = Object.fromEntries(SIDES.map((side) => [side, state.twins[side].values[0].slice()]));
    this.compute();
  }

  paint(side, row, column) {
    if (!this.state.hasAllWeights || row < 0 || column < 0 || row >= SIZE || column >= SIZE) return;
    if (this.images[side][row * SIZE + column] === this.ink) return;
    this.images[side][row * SIZE + column] = this.ink;
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.compute());
  }

  // Both twins forward, and the logit's gradient back to the images.
  compute() {
    const { state } = this, { layers, params } = state;
    if (!state.hasAllWeights) {
      this.gradients = Object.fromEntries(SIDES.map((side) =>
        [side, state.twins[side].gradients[0].map((g) => g / state.logitGradient || 0)]));
      this.result.textContent = "Only the last moment has all weights in the page: choose it to paint.";
      return this.draw();
    }
    const end = layers.length, w = params["fc1.weight"], none = new Float32Array(w.length);
    const twins = SIDES.map((side) => fillTwin(layers, this.images[side], params, {}, none));
    const [left, right] = twins.map(({ values }) => values[end]);
    const found = verdict(left, right, w, params["fc1.bias"]);
    const slope = w.map((weight, d) => weight * Math.sign(left[d] - right[d]));
    this.gradients = Object.fromEntries(SIDES.map((side, n) => [side, fillTwin(layers, this.images[side],
      params, Object.fromEntries(twins[n].values.slice(1).map((v, k) => [`value.${k}`, v])),
      n ? slope.map((s) => -s) : slope).gradients[0]]));
    this.result.textContent = this.told(found);
    this.draw();
  }

  told({ logit, probability }) {
    const { state } = this, now = `Logit ${digits(logit)}, probability of the same class ${digits(probability)}`;
    const isAsItWas = SIDES.every((side) =>
      this.images[side].every((v, k) => v === state.twins[side].values[0][k]));
    if (!isAsItWas) return `${now}; before painting ${digits(state.logit)} and ${digits(state.probability)}.`;
    return `${now}, computed in this page in float32. NumPy's logit differs by `
      + `${rough(Math.abs(logit - state.logit))} (${units(ulpsApart(logit, state.logit))} in the last place).`;
  }

  draw() {
    const most = Math.max(...SIDES.map((side) => largest(this.gradients[side])));
    for (const side of SIDES) {
      const context = this.canvases[side].getContext("2d");
      this.images[side].forEach((value, k) => {
        const t = this.overlay.checked && most ? this.gradients[side][k] / most : 0;
        const [r, g, b] = this.colours.of(t), share = Math.sqrt(Math.abs(t)) * 0.8;
        const mixed = [r, g, b].map((c) => Math.round((1 - share) * value + share * c));
        context.fillStyle = `rgb(${mixed.join(" ")})`;
        context.fillRect((k % SIZE) * ZOOM, Math.floor(k / SIZE) * ZOOM, ZOOM, ZOOM);
      });
      if (this.cursor?.side === side) {
        context.strokeStyle = this.colours.mark;
        context.lineWidth = 2;
        context.strokeRect(this.cursor.column * ZOOM, this.cursor.row * ZOOM, ZOOM, ZOOM);
      }
    }
  }
}
