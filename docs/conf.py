"""How Sphinx builds the site: `make docs`. What Sphinx lacks is in the folder `_site`."""

import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_site"), str(HERE.parent)]

project = "numpy-siamese"
html_title = "numpy-siamese"
copyright = "the authors of numpy-siamese, MIT licence"
language = "en"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "contents",
    "diagrams",
    "docstrings",
    "offline",
    "reference",
    "sources",
]

# the source folder is the root of the repository, so that every relative link stays as it is
root_doc = "README"
include_patterns = [
    "*.md",
    "docs/**.md",
    "docs/api/*.rst",
    "benchmarks/results/**.md",
]
exclude_patterns = [".*", "build", "dist", "mutants", "runs", "venv", "**/node_modules"]

myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math", "mermaid"]
myst_heading_anchors = 4

MATHJAX = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
mathjax_path = "tex-svg-full.js"  # one file that loads no other, neither fonts nor extensions
mathjax3_config = {
    "options": {"enableMenu": False},  # the menu would load more
    "svg": {"scale": 0.95},
}

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say shapes as well
default_role = "py:obj"
numpydoc_class_members_toctree = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
highlight_language = "text"
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_static_path = ["_site/site.css", str(MATHJAX / mathjax_path)]
html_css_files = ["site.css"]
html_extra_path = ["_extra"] if (HERE / "_extra").exists() else []
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # a page on disk cannot fetch another
html_copy_source = False
html_use_index = html_domain_indices = False  # the search finds names
html_theme_options = {
    "light_css_variables": {"font-stack--monospace": "'DejaVu Sans Mono', ui-monospace, monospace"},
}
