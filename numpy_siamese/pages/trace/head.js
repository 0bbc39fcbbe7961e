// The head as bars: what each part of the difference adds to the logit.

import { element } from "./dom.js";
import { digits, long } from "./numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 160;

function svg(tag, attributes, ...children) {
  const found = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  found.append(...children);
  return found;
}

// Signed bars w[d]·difference[d], and the line of their sum from the bias to the logit.
export function headBars(state, onPoint, onChoose) {
  const w = state.params["fc1.weight"], bias = state.params["fc1.bias"][0];
  const parts = [...w].map((weight, d) => weight * state.difference[d]);
  const sums = parts.reduce((all, part) => [...all, all.at(-1) + part], [bias]);
  const most = Math.max(...parts.map(Math.abs), ...sums.map(Math.abs)) || 1;
  const y = (value) => HEIGHT / 2 - (value / most) * (HEIGHT / 2 - 8), step = 8;
  const bars = parts.map((part, d) => bar(d, part));
  function bar(d, part) {
    const text = `d=${d}: w · difference = ${digits(w[d])} · ${digits(state.difference[d])} = ${long(part)}`;
    const found = svg("rect", { x: d * step + 1, width: step - 2, y: Math.min(y(0), y(part)),
      height: Math.max(0.5, Math.abs(y(part) - y(0))), class: part < 0 ? "minus" : "plus",
      tabindex: d === 0 ? 0 : -1, role: "button", "aria-label": text, "data-d": d });
    found.addEventListener("pointermove", () => onPoint(text));
    found.addEventListener("focus", () => onPoint(text));
    found.addEventListener("click", () => onChoose("difference", d));
    found.addEventListener("keydown", (event) => keys(event, d));
    return found;
  }
  function keys(event, d) {
    const to = { ArrowLeft: d - 1, ArrowRight: d + 1 }[event.key];
    if (to !== undefined) bars[to]?.focus();
    else if (event.key === "Enter" || event.key === " ") onChoose("difference", d);
    else return;
    event.preventDefault();
  }
  const path = sums.map((sum, d) => `${d ? "L" : "M"}${d * step} ${y(sum)}`).join(" ");
  const chart = svg("svg", { viewBox: `0 0 ${parts.length * step} ${HEIGHT}`, class: "bars",
    role: "group", "aria-label": `${parts.length} bars that add up to the logit ${digits(state.logit)}` },
  svg("line", { x1: 0, x2: parts.length * step, y1: y(0), y2: y(0), class: "axis" }),
  ...bars, svg("path", { d: path, class: "sum" }));
  return element("figure", { className: "wide" }, element("figcaption", {},
    element("b", {}, "w[d] · difference[d]"),
    ` for d = 0 to ${parts.length - 1}, each from zero; the line adds them up, from the bias `
    + `${digits(bias)} to the logit ${digits(state.logit)}; height ±${digits(most)}`), chart);
}

// The verdict over the training: one point a moment.
export function course(states, now) {
  const x = (n) => (states.length > 1 ? 8 + (n * 284) / (states.length - 1) : 150);
  const y = (p) => 52 - 44 * p;
  const path = states.map(({ probability }, n) => `${n ? "L" : "M"}${x(n)} ${y(probability)}`);
  return svg("svg", { viewBox: "0 0 300 60", class: "course", role: "img", "aria-label":
    `probability of the same class: ${states.map((s) => `${s.label} ${digits(s.probability)}`).join(", ")}` },
  svg("line", { x1: 0, x2: 300, y1: y(0.5), y2: y(0.5), class: "axis" }),
  svg("path", { d: path.join(" "), class: "sum" }),
  ...states.map((s, n) => svg("circle", { cx: x(n), cy: y(s.probability), r: n === now ? 5 : 2.5 })));
}
