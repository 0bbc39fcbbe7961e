"""Mermaid diagrams as SVG, drawn when the site is built."""

import re
from typing import Any

import mermaidx
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Mermaid(SphinxDirective):
    """A fence ```mermaid."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Draw the diagram."""
        source = "\n".join(self.content)
        name = f"diagram-{self.env.new_serialno('diagram')}"
        svg = mermaidx.render(source, theme="neutral").svg().replace("my-svg", name)
        # its own style of labels would win over the site's
        svg = re.sub(r"width=\"100%\"", "", svg, count=1)
        return [nodes.raw("", f'<div class="diagram">{svg}</div>', format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True}
