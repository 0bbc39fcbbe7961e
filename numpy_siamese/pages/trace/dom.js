// Elements of the page.

export function element(tag, properties = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    if (name in found) found[name] = value;
    else found.setAttribute(name, value);
  found.append(...children);
  return found;
}

export function table(head, rows, caption) {
  const line = (cells, tag) => element("tr", {}, ...cells.map((cell) => element(tag, {}, cell)));
  return element("div", { className: "scroll" }, element("table", {},
    ...(caption ? [element("caption", {}, caption)] : []),
    element("thead", {}, line(head, "th")),
    element("tbody", {}, ...rows.map((row) => line(row, "td")))));
}

export function matrix(rows, caption) {
  return element("table", { className: "matrix" }, element("caption", {}, caption),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(
      (cell) => element("td", { className: cell.won ? "won" : "" }, cell.text ?? cell))))));
}

export function lines(texts, tag = "p") {
  return texts.map((text) => element(tag, {}, text));
}
