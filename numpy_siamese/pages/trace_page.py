"""The page of a trace: one HTML file with its numbers, its styles and its programs."""

import base64
import gzip
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

Array = np.ndarray

MODULES = (
    "numbers",
    "dom",
    "network",
    "plot",
    "payload",
    "terms",
    "values",
    "gradients",
    "weights",
    "explain",
    "inspector",
    "head",
    "experiment",
    "page",
)
"""The programs in `trace`, each after those that it imports."""


def trace_page(about: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """Return a page as text.

    Parameters
    ----------
    about : mapping
        What the page says, as JSON can hold it. The page adds where the tensors lie.
    tensors : mapping of name → float32 array
        As `payload.js` names them.
    """
    table, start = [], 0
    for name, value in tensors.items():
        table.append({"name": name, "start": start, "size": value.size})
        start += value.size
    flat = b"".join(value.astype("<f4").tobytes() for value in tensors.values())
    by_place = np.frombuffer(flat, np.uint8).reshape(-1, 4).T  # sign and exponent pack well alone
    packed = gzip.compress(by_place.tobytes(), compresslevel=9, mtime=0)
    parts = {
        "style": _source("page.css"),
        "about": _json({**about, "tensors": table}),
        "numbers": base64.b64encode(packed).decode("ascii"),
        "script": "\n".join(map(_module, MODULES)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _source("page.html"))


def _source(name: str) -> str:
    return (resources.files("numpy_siamese.pages") / "trace" / name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """Return JSON that may stand in a script element: no text in it can end the element."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def _module(name: str) -> str:
    """Return a module as a function that is called once, whose names are its exports.

    Browsers load no module from a file on disk. Here they share one script, and each keeps what it
    does not export.
    """
    text = re.sub(r"^import [^;]*;\n", "", _source(f"{name}.js"), flags=re.MULTILINE)
    exported = re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", text, re.MULTILINE)
    text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    names = ", ".join(exported)
    return f"const {{ {names} }} = (() => {{\n{text}\nreturn {{ {names} }};\n}})();"
