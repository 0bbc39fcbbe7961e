// A tensor as a picture: one cell a number, which a pointer or the keys can choose.

import { digits, largest, sizeOf, unravel } from "./numbers.js";

const GAP = 1;

// How the numbers of a shape lie: maps of rows × columns, `across` maps side by side.
export function layoutOf(shape, kind) {
  if (kind === "kernels" && shape.length === 4) {
    const [O, C, rows, columns] = shape;
    return { maps: O * C, rows, columns, across: C > 1 ? C : 8 };
  }
  if (shape.length === 3)
    return { maps: shape[0], rows: shape[1], columns: shape[2], across: Math.min(8, shape[0]) };
  if (shape.length === 2 && shape[0] === 1) return layoutOf([shape[1]]);
  if (shape.length === 2) return { maps: 1, rows: shape[0], columns: shape[1], across: 1 };
  let rows = Math.max(1, Math.floor(Math.sqrt(shape[0] / 2)));
  while (shape[0] % rows) rows -= 1;
  return { maps: 1, rows, columns: shape[0] / rows, across: 1 };
}

export class Plot {
  // options: key, title, shape, kind, names (of the indices), onPoint, onChoose
  constructor(options) {
    Object.assign(this, options, layoutOf(options.shape, options.kind));
    this.down = Math.ceil(this.maps / this.across);
    this.width = this.across * (this.columns + GAP) - GAP;
    this.height = this.down * (this.rows + GAP) - GAP;
    this.zoom = Math.max(1, Math.min(24, Math.floor(560 / this.width)));
    this.cursor = 0;
    this.marks = [];
    this.element = this.build();
  }

  build() {
    const figure = document.createElement("figure");
    figure.dataset.plot = this.key;
    if (this.maps === 1) figure.className = "single";
    const canvas = this.canvas = document.createElement("canvas");
    canvas.width = this.width * this.zoom;
    canvas.height = this.height * this.zoom;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "picture of numbers");
    this.caption = document.createElement("figcaption");
    figure.append(this.caption, canvas);
    canvas.addEventListener("pointermove", (event) => this.point(this.under(event)));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("click", (event) => this.choose(this.under(event)));
    canvas.addEventListener("keydown", (event) => this.key_(event));
    return figure;
  }

  show(values, colours, scale) {
    Object.assign(this, { values, colours, scale: scale ?? largest(values) });
    const range = this.kind === "image" ? "0 to 255" : `±${digits(this.scale)}`;
    this.caption.replaceChildren(Object.assign(document.createElement("b"), { textContent: this.title }),
      ` ${this.shape.join("×")}, ${range}`);
    this.canvas.setAttribute("aria-label",
      `${this.title}, ${this.shape.join(" by ")} numbers, ${range}. Arrows move, Enter explains.`);
    this.draw();
  }

  draw() {
    const context = this.canvas.getContext("2d"), { zoom } = this;
    const small = new ImageData(this.width, this.height);
    this.values.forEach((value, k) => {
      const [x, y] = this.at(k);
      small.data.set(this.colour(value), 4 * (y * this.width + x));
    });
    const copy = new OffscreenCanvas(this.width, this.height);
    copy.getContext("2d").putImageData(small, 0, 0);
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(copy, 0, 0, this.canvas.width, this.canvas.height);
    context.strokeStyle = this.colours.mark;
    context.lineWidth = 3;
    for (const { k, rows, columns } of this.marks) {
      const [x, y] = this.at(k);
      context.strokeRect(x * zoom - 1, y * zoom - 1, columns * zoom + 2, rows * zoom + 2);
    }
  }

  colour(value) {
    if (this.kind === "image") return [value, value, value, 255];
    return this.colours.of(this.scale ? value / this.scale : 0);
  }

  // Where number k lies, in cells.
  at(k) {
    const size = this.rows * this.columns, map = Math.floor(k / size), inside = k % size;
    return [
      (map % this.across) * (this.columns + GAP) + (inside % this.columns),
      Math.floor(map / this.across) * (this.rows + GAP) + Math.floor(inside / this.columns),
    ];
  }

  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * this.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * this.height);
    const column = x % (this.columns + GAP), row = y % (this.rows + GAP);
    const map = Math.floor(y / (this.rows + GAP)) * this.across + Math.floor(x / (this.columns + GAP));
    const inside = x >= 0 && y >= 0 && column < this.columns && row < this.rows && map < this.maps;
    return inside ? (map * this.rows + row) * this.columns + column : null;
  }

  name(k) {
    const index = unravel(k, this.shape);
    return index.map((i, axis) => `${this.names[axis]}=${i}`).join(" ");
  }

  point(k) {
    if (k === null) return this.onPoint(null);
    this.onPoint(`${this.title}, ${this.name(k)}: ${digits(this.values[k])}`);
  }

  choose(k) {
    if (k === null) return;
    this.cursor = k;
    this.onChoose(this.key, k);
  }

  mark(marks) {
    if (!marks.length && !this.marks.length) return;
    this.marks = marks;
    this.draw();
  }

  key_(event) {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.choose(this.cursor);
    }
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns,
      PageUp: -this.rows * this.columns, PageDown: this.rows * this.columns };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const last = sizeOf(this.shape) - 1;
    this.cursor = Math.min(last, Math.max(0, this.cursor + steps[event.key]));
    this.mark([{ k: this.cursor, rows: 1, columns: 1 }]);
    this.point(this.cursor);
  }
}

// Blue below zero, red above: `of` takes a number from −1 to 1.
export function coloursOf(style) {
  const triple = (name) => style.getPropertyValue(name).trim().split(/\s+/).map(Number);
  const [low, zero, high] = ["--low", "--zero", "--high"].map(triple);
  const of = (t) => {
    const end = t < 0 ? low : high, share = Math.sqrt(Math.min(1, Math.abs(t)));
    return [...zero.map((c, i) => c + share * (end[i] - c)), 255];
  };
  return { of, mark: style.getPropertyValue("--mark").trim() };
}
