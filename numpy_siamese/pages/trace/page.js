// The page: a section a layer, the slider over the training, and the inspector.

import { element, lines, table } from "./dom.js";
import { Experiment } from "./experiment.js";
import { explain } from "./explain.js";
import { course, headBars } from "./head.js";
import { showExplanation } from "./inspector.js";
import { SIDES } from "./network.js";
import { count, digits, sizeOf, units } from "./numbers.js";
import { readPayload, State } from "./payload.js";
import { coloursOf, Plot } from "./plot.js";
import { EQUATIONS } from "./values.js";

const TITLES = { conv2d: "convolve", relu: "rectify", max_pool2d: "pool", scale: "scale", flatten: "flatten", linear: "linear" };

const byId = (id) => document.getElementById(id);

class Page {
  constructor(payload) {
    Object.assign(this, { payload, about: payload.about, plots: {}, states: new Map(), chosen: null });
    this.inspector = byId("inspector");
    this.build();
    const slider = byId("moment");
    slider.max = this.about.states.length - 1;
    slider.value = slider.max;
    slider.addEventListener("input", () => this.show(Number(slider.value)));
    byId("theme").addEventListener("click", () => this.otherTheme());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    addEventListener("beforeprint", () => this.paint("light"));
    addEventListener("afterprint", () => this.paint());
    this.show(Number(slider.value));
    this.choose("value.1.left", this.clearest());
  }

  build() {
    const { layers, images } = this.about, place = byId("layers");
    place.append(this.section("images", "The two images", "raw pixel values, 0 to 255", "",
      [...SIDES.map((side, n) => this.plot(`value.0.${side}`, `${side}: ${images[n].title}`, layers[0].in, "image")),
        ...SIDES.map((side) => this.plot(`gradient.0.${side}`, `gradient in ${side}`, layers[0].in))]));
    layers.forEach((layer, k) => place.append(this.layer(layer, k)));
    this.head = element("div");
    const size = layers.at(-1).out;
    place.append(this.section("head", "The head, fc1",
      "logit = Σ over d of w[d] · |left[d] − right[d]| + b,  p = 1 / (1 + exp(−logit)),  loss = −log p for a pair "
      + "of the same class, −log (1 − p) for another, with the natural logarithm", `(${size}), (${size}) → (1)`, [
        this.plot("difference", "difference |left − right|", size),
        this.plot("difference.gradient", "its gradient", size),
        this.plot("weight.fc1.weight", "weights w of fc1", [1, ...size], "kernels"),
        this.plot("grad.fc1.weight", "their gradient", [1, ...size], "kernels")], this.head, this.note(layers.length)));
    this.experiment = new Experiment(byId("experiment"));
  }

  section(id, title, equation, shapes, plots, ...more) {
    return element("section", { id }, element("h2", {}, title),
      element("p", { className: "equation" }, equation),
      ...(shapes ? [element("p", { className: "shapes" }, shapes)] : []),
      element("div", { className: plots.every((plot) => plot.maps === 1) ? "figures small" : "figures" },
        ...plots.map((plot) => plot.element)), ...more);
  }

  layer(layer, k) {
    const { kind, weight } = layer;
    const parameters = weight ? `, ${count(sizeOf(weight) + (layer.bias ? layer.out[0] : 0))} parameters` : "";
    const plots = [...SIDES.map((side) => this.plot(`value.${k + 1}.${side}`, `output, ${side}`, layer.out)),
      ...SIDES.map((side) => this.plot(`gradient.${k + 1}.${side}`, `gradient in it, ${side}`, layer.out))];
    if (weight) plots.push(
      this.plot(`weight.${layer.name}.weight`, "weights w", weight, "kernels"),
      this.plot(`grad.${layer.name}.weight`, "gradient in w, of both twins", weight, "kernels"));
    if (layer.bias) plots.push(
      this.plot(`weight.${layer.name}.bias`, "biases b", [layer.out[0]]),
      this.plot(`grad.${layer.name}.bias`, "gradient in b", [layer.out[0]]));
    return this.section(`layer-${k}`, `${k + 1}. ${layer.name ? `${layer.name}: ` : ""}${TITLES[kind]}`, EQUATIONS[kind],
      `(${layer.in.join(", ")}) → (${layer.out.join(", ")})${parameters}`, plots, this.note(k));
  }

  note(k) {
    const note = element("p", { className: "torch" });
    note.dataset.torch = k;
    return note;
  }

  plot(key, title, shape, kind) {
    const isWeight = /^(weight|grad)\./.test(key);
    const names = isWeight ? (shape.length === 4 ? ["o", "c", "i", "j"] : shape.length === 2 ? ["o", "k"] : ["o"])
      : shape.length === 3 ? ["c", "row", "column"] : [key.startsWith("difference") ? "d" : "k"];
    this.plots[key] = new Plot({ key, title, shape, kind, names,
      onPoint: (text) => this.tell(text), onChoose: (which, cell) => this.choose(which, cell) });
    return this.plots[key];
  }

  show(index) {
    if (!this.states.has(index)) this.states.set(index, new State(this.payload, index));
    this.state = this.states.get(index);
    this.state.sgd = this.about.sgd;
    byId("moment").setAttribute("aria-valuetext", this.state.label);
    byId("label").textContent = this.state.label;
    const { logit, probability, loss } = this.state, { target, assumed } = this.about;
    byId("verdict").replaceChildren(
      `probability of the same class ${digits(probability)}, logit ${digits(logit)}, loss ${digits(loss)} `
      + `(the pair is ${assumed ? "taken as " : ""}${target ? "of the same class" : "of different classes"}) `,
      this.logitButton());
    byId("course").replaceChildren("probability", course(this.about.states, index));
    this.tellComparison();
    this.paint();
    if (this.chosen) this.choose(...this.chosen);
  }

  logitButton() {
    const button = element("button", { id: "logit", type: "button" }, "how the logit came about");
    button.addEventListener("click", () => this.choose("logit", 0));
    return button;
  }

  tellComparison() {
    const { state, about } = this;
    const last = state.hasAllWeights ? (state.compared ??= state.comparison()) : null;
    byId("compared").textContent = last
      ? `This page computed ${count(last.numbers)} numbers again: ${count(last.unequal)} differ from NumPy's`
        + `${last.unequal ? `, by at most ${units(last.ulps)} in the last place` : ""}.`
      : "The maps and gradients of this moment are computed in this page.";
    if (about.torch && last)
      byId("compared").append(element("br"), `PyTorch ${about.torch.version}, ${about.torch.whole}.`);
    for (const note of document.querySelectorAll("[data-torch]")) {
      const found = about.torch?.layers[note.dataset.torch];
      note.hidden = !found || !state.hasAllWeights;
      if (found) note.textContent = `PyTorch: ${found}.`;
    }
  }

  paint(theme) {
    const root = document.documentElement, before = root.dataset.theme;
    if (theme) root.dataset.theme = theme;
    const colours = coloursOf(getComputedStyle(root));
    for (const [key, plot] of Object.entries(this.plots)) {
      const values = this.values(key);
      plot.element.hidden = !values;
      if (values) plot.show(values, colours);
    }
    this.head.replaceChildren(headBars(this.state, (text) => this.tell(text), (...which) => this.choose(...which)));
    this.experiment.show(this.state, colours);
    if (theme) delete root.dataset.theme;
    if (theme && before) root.dataset.theme = before;
  }

  values(key) {
    const { state } = this, [what, ...rest] = key.split(".");
    if (what === "weight") return state.params[rest.join(".")];
    if (what === "grad") return state.grads[rest.join(".")];
    if (what === "difference") return rest.length ? state.differenceGradient : state.difference;
    return state.twins[rest[1]][`${what}s`][Number(rest[0])];
  }

  choose(key, k) {
    this.chosen = [key, k];
    const found = explain(this.state, key, k);
    found.shown ??= this.values(key)?.[k];
    showExplanation(this.inspector, found);
    const marks = [...found.marks, ...(this.plots[key] ? [{ plot: key, k, rows: 1, columns: 1 }] : [])];
    for (const [name, plot] of Object.entries(this.plots))
      plot.mark(marks.filter((mark) => mark.plot === name));
  }

  // The place in the first feature maps that is brightest: something to look at first.
  clearest() {
    const values = this.state.twins.left.values[1];
    return values.reduce((best, v, k) => (v > values[best] ? k : best), 0);
  }

  tell(text) {
    byId("reading").textContent = text ?? "Point at a number to read it, click it to see how it came about.";
  }

  otherTheme() {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    this.paint();
  }
}

function introduce({ about }) {
  document.title = `${about.images[0].title} and ${about.images[1].title}: a trace`;
  byId("pair").textContent = about.images.map(({ title }) => title).join(" and ");
  byId("source").append(...lines([about.source, ...about.notes], "span").flatMap((one) => [one, " "]));
  byId("moments").append(table(["moment", "logit", "probability", "loss"],
    about.states.map((s) => [s.label, ...[s.logit, s.probability, s.loss].map((x) => digits(Math.fround(x)))])));
}

readPayload().then((payload) => {
  introduce(payload);
  window.page = new Page(payload);
  document.documentElement.dataset.ready = "yes";
}).catch((error) => {
  byId("verdict").textContent = `This page could not be shown: ${error.message}`;
  throw error;
});
