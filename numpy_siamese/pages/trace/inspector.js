// The explanation of the number that was chosen, as a part of the page.

import { element, lines, matrix, table } from "./dom.js";
import { count, digits, f32, long, rough, units } from "./numbers.js";
import { ranked } from "./terms.js";

const MOST = 8;

export function showExplanation(place, found) {
  place.replaceChildren(
    element("h2", {}, found.title),
    element("p", { className: "equation" }, found.equation),
    element("p", { className: "shown" }, `${found.shownAs ?? "shown"}: `,
      element("output", { id: "shown" }, digits(found.shown))),
    ...lines(found.lines ?? []),
    ...(found.window ? [windowOf(found.window)] : []),
    ...(found.patches ? patches(found.patches) : []),
    ...(found.terms.length ? sum(found) : []),
    ...(found.torch ? [torch(found.torch)] : []),
  );
}

function windowOf({ rows }) {
  return matrix(rows.map((row) => row.map(({ value, won }) => ({ text: digits(value), won }))),
    "the window; the winner is framed");
}

// The patch, the kernel and their products, of each input channel.
function patches(all) {
  const grids = ({ c, K, terms, sum }) => element("div", { className: "patch" },
    ...["b", "a", "product"].map((field, n) => matrix(
      [...Array(K).keys()].map((i) => terms.slice(i * K, (i + 1) * K)
        .map((term) => (field === "product" ? long(term.product) : digits(term[field])))),
      [`x, channel ${c}`, "w", "w · x"][n])),
    element("p", {}, `sum over channel ${c}: ${long(sum)}`));
  if (all.length === 1) return [grids(all[0])];
  const first = [...all].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum))[0];
  return [
    element("h3", {}, `channel ${first.c}, which adds most`), grids(first),
    element("details", {}, element("summary", {}, `all ${all.length} channels`), ...all.map(grids)),
  ];
}

function sum({ terms, factors, bias, sum: total, shown, apart, patches: asPatches }) {
  const nonzero = terms.filter((term) => term.product !== 0).length;
  const rows = ranked(terms).slice(0, MOST)
    .map((t) => [t.where, digits(t.a), digits(t.b), long(t.product)]);
  const share = bias === undefined ? "" : `, and the bias ${digits(bias)}`;
  const told = (terms.length === 1 ? "1 product"
    : `${count(terms.length)} products, ${count(nonzero)} of them not zero`) + share;
  const list = table(["where", ...factors, "product"], rows,
    terms.length > MOST ? `the ${MOST} largest` : "");
  const agreement = apart === 0 ? "equal to the number shown"
    : `${units(apart)} in the last place from the number shown, ${digits(shown)}`;
  return [
    element("p", {}, told),
    asPatches?.length === 1 ? "" : list,
    element("p", { className: "check" }, `sum = ${long(total)}`, element("br"),
      "as float32: ", element("output", { id: "sum" }, digits(f32(total))), ` (${agreement})`),
  ];
}

function torch({ value, error, bound, roundings }) {
  const told = bound === null ? (error === 0 ? "the same bits" : `differs by ${rough(error)}`)
    : `differs by ${rough(error)}, allowed ${rough(bound)} for ${roundings} roundings`;
  return element("p", { className: "torch" }, "PyTorch: ",
    element("output", { id: "torch" }, digits(value)), `, ${told}`);
}
