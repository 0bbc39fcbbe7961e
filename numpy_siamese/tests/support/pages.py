"""The page of a trace in a browser, as a reader uses it."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese import load_run
from numpy_siamese.data.sources import load
from numpy_siamese.runs.kept_checkpoints import kept_files, read_kept
from numpy_siamese.tracing import Trace, trace


class TracePage:
    """A page that is open, and what went wrong in it.

    Parameters
    ----------
    browser : of Playwright
    path : Path
    **options
        Of the new window, such as viewport.
    """

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.window = browser.new_page(**options)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.window.on("console", lambda message: self.complaints.append(message.text))
        self.window.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.window.on("request", lambda request: self.requests.append(request.url))
        self.window.goto(path.as_uri())
        self.window.wait_for_selector("html[data-ready]")

    def place_of(self, key: str, k: int) -> tuple[float, float]:
        """Scroll to number k of a picture, and return where it is in the window."""
        return tuple(
            self.window.evaluate(
                """([key, k]) => {
                    const plot = page.plots[key], [x, y] = plot.at(k);
                    plot.canvas.scrollIntoView({ block: "center" });
                    const box = plot.canvas.getBoundingClientRect();
                    return [box.left + (x + 0.5) * box.width / plot.width,
                        box.top + (y + 0.5) * box.height / plot.height];
                }""",
                [key, k],
            )
        )

    def click(self, key: str, *index: int) -> str:
        """Click the number at an index of a picture; return the explanation.

        Numbers smaller than a pixel of the window are reached by keys, as a reader does.
        """
        shape, width = self.window.evaluate(
            "(key) => [page.plots[key].shape, page.plots[key].width]", key
        )
        k = int(np.ravel_multi_index(index, shape))
        self.window.mouse.click(*self.place_of(key, k))
        if self.window.locator(f"[data-plot='{key}'] canvas").bounding_box()["width"] < width:
            self.window.evaluate("([key, k]) => { page.plots[key].cursor = k - 1; }", [key, k])
            self.window.keyboard.press("ArrowRight")
            self.window.keyboard.press("Enter")
        return self.window.inner_text("#inspector")

    def choose(self, key: str, *index: int) -> str:
        """Choose the number at an index of a picture, without a pointer; return the explanation."""
        shape = self.window.evaluate("(key) => page.plots[key].shape", key)
        k = int(np.ravel_multi_index(index, shape))
        self.window.evaluate("([key, k]) => page.choose(key, k)", [key, k])
        return self.window.inner_text("#inspector")

    def marked(self) -> dict[str, set[tuple[int, ...]]]:
        """Return the indices of the cells that are marked, of each picture that has any."""
        found: dict[str, set[tuple[int, ...]]] = {}
        for key, shape, rows, columns, k in self.window.evaluate(
            """() => Object.entries(page.plots).flatMap(([key, plot]) =>
                plot.marks.map((m) => [key, plot.shape, m.rows, m.columns, m.k]))"""
        ):
            places = [k + i * shape[-1] + j for i in range(rows) for j in range(columns)]
            indices = zip(*np.unravel_index(places, shape), strict=True)
            found.setdefault(key, set()).update(tuple(map(int, index)) for index in indices)
        return found

    def rows(self) -> list[list[str]]:
        """Return the rows of the explanation's table of products."""
        rows = self.window.locator("#inspector .scroll tbody tr").all()
        return [row.locator("td").all_inner_texts() for row in rows]

    @staticmethod
    def numbers(text: str) -> list[np.float32]:
        """Return the numbers among the words of a text."""
        found = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*=)", text)
        return [np.float32(word) for word in found]

    def number(self, name: str) -> np.float32:
        """Return a number of the explanation: 'shown', 'sum' or 'torch'."""
        return np.float32(self.window.inner_text(f"#{name}"))

    def array(self, expression: str) -> np.ndarray:
        """Return the numbers of a JavaScript expression, a Float32Array."""
        text = self.window.evaluate(
            f"""() => {{
                const found = {expression}, bytes = new Uint8Array(Float32Array.from(found).buffer);
                return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
            }}"""
        )
        return np.frombuffer(base64.b64decode(text), "<f4")


def trace_of(run: Path, moment: int | None = None) -> Trace:
    """Trace the test images 0 and 4 in Python: at the end, or at one of the kept checkpoints."""
    used = load_run(run)
    images, labels = load(used.run.config.data, None, used.run.config.seed).test
    weights: Mapping[str, np.ndarray] = used.run.weights
    if moment is not None:
        batches = sorted(kept_files(run))[moment]
        path = kept_files(run)[batches]
        weights = read_kept(path, batches, used.run.config, weights).model
    return trace(weights, images[0][None], images[4][None], int(labels[0] == labels[4]))
