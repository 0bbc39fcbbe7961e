// How a number came about: the products whose sum it is, or the choice that was made.

import { ofGradient } from "./gradients.js";
import { f32, gamma, SMALLEST, ulpsApart, UNIT_ROUNDOFF } from "./numbers.js";
import { ofDifference, ofLogit, ofValue } from "./values.js";
import { ofWeight } from "./weights.js";

// Explain a number of a plot; `inspector.js` shows it.
// key: value|gradient . stage . side, or weight.NAME, or grad.NAME, or difference[.gradient], or logit
export function explain(state, key, k) {
  return checked(state, explanation(state, key, k), k);
}

function explanation(state, key, k) {
  const [what, ...rest] = key.split(".");
  if (what === "weight" || what === "grad") return ofWeight(state, rest.join("."), k);
  if (what === "difference") return ofDifference(state, k);
  if (what === "logit") return ofLogit(state);
  const stage = Number(rest[0]), side = rest[1];
  return (what === "value" ? ofValue : ofGradient)(state, stage, side, k);
}

// Add up the terms, compare with the number shown, and set PyTorch's number beside it.
function checked(state, found, k) {
  const { terms, bias, shown, compared } = found;
  if (terms.length) {
    found.sum = terms.reduce((total, t) => total + t.product, 0) + (bias ?? 0);
    found.apart = ulpsApart(f32(found.sum), shown);
  }
  const other = state.torch[compared]?.[k];
  if (other !== undefined) {
    const size = terms.reduce((total, t) => total + Math.abs(t.product), Math.abs(bias ?? 0));
    const roundings = terms.length + (bias === undefined ? 0 : 1);
    found.torch = { value: other, error: Math.abs(other - shown), roundings,
      bound: terms.length ? gamma(roundings) * size + UNIT_ROUNDOFF * Math.abs(shown)
        + ((roundings + 1) * SMALLEST) / 2 : null };
  }
  return found;
}
