"""What the classes of a picture look like, on light and on dark pages."""

LIGHT = {
    "card": "fill: #ffffff; stroke: #d0d7de",
    "ink": "fill: #1f2328",
    "faint": "fill: #59636e",
    "plain": "fill: #f6f8fa; stroke: #8c959f",
    "blue": "fill: #cfe4ff; stroke: #8c959f",
    "orange": "fill: #ffdcae; stroke: #8c959f",
    "green": "fill: #c4edc6; stroke: #8c959f",
    "purple": "fill: #e6d7fb; stroke: #8c959f",
    "chosen": "fill: none; stroke: #bc1c2b; stroke-width: 3",
    "rule": "fill: none; stroke: #57606a; stroke-width: 1.5",
    "axis": "fill: none; stroke: #b3bac2",
    "tip": "fill: #57606a",
    "first": "fill: none; stroke: #0969da; stroke-width: 2.5",
    "second": "fill: none; stroke: #bc4c00; stroke-width: 2.5; stroke-dasharray: 7 4",
    "first-word": "fill: #0759b5",
    "second-word": "fill: #a34200",
    "first-dot": "fill: #0969da",
    "second-dot": "fill: #bc4c00",
}
"""What each class looks like."""

DARK = {
    "card": "fill: #161b22; stroke: #30363d",
    "ink": "fill: #e6edf3",
    "faint": "fill: #bdc5ce",
    "plain": "fill: #21262d; stroke: #6e7681",
    "blue": "fill: #1c4876; stroke: #6e7681",
    "orange": "fill: #70420c; stroke: #6e7681",
    "green": "fill: #1d5630; stroke: #6e7681",
    "purple": "fill: #50347f; stroke: #6e7681",
    "chosen": "stroke: #ff7b72",
    "rule": "stroke: #9aa4af",
    "axis": "stroke: #484f58",
    "tip": "fill: #9aa4af",
    "first": "stroke: #58a6ff",
    "second": "stroke: #f0883e",
    "first-word": "fill: #79b8ff",
    "second-word": "fill: #ffa35c",
    "first-dot": "fill: #58a6ff",
    "second-dot": "fill: #f0883e",
}
"""What differs where the reader's page is dark."""

FONT = (
    'text { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }\n'
    ".title { font-size: 17px; font-weight: 600 }\n"
    ".bold { font-weight: 700 }\n"
    ".small { font-size: 12.5px }\n"
)


def style_sheet() -> str:
    """Return the style sheet of a picture."""
    light = "".join(f".{name} {{ {look} }}\n" for name, look in LIGHT.items())
    dark = "".join(f"  .{name} {{ {look} }}\n" for name, look in DARK.items())
    return f"{FONT}{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"
