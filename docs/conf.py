"""How Sphinx builds the site: `make docs` writes it to build/site.

The whole checkout is the source, so that a link of a page to a page or a file elsewhere in it is
the same link in the checkout and on the site.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from ptpfast import __version__  # noqa: E402 # found by the line before

project = "ptpfast"
author = "The ptpfast authors"
copyright = "the ptpfast authors, Apache-2.0"
release = version = __version__

extensions = ["myst_parser", "sphinx_click", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    *("SECURITY.md", "CHANGELOG.md"),
    *(
        "examples/README.md",
        "bench/README.md",
        "bench/results/README.md",
        "fuzz/README.md",
        "soak/README.md",
    ),
]
templates_path = ["_templates"]
suppress_warnings = ["myst.header"]  # pages may begin at any level

# The anchors of headings are those that GitHub makes.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block"]

smartquotes = False  # they would make one dash of the two of an option

# The prompt of a shell line and what the command answered are not copied.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True

html_theme = "furo"
html_title = f"ptpfast {release}"
html_static_path = ["_static"]
html_css_files = ["ptpfast.css"]
html_js_files = ["ptpfast.js"]
html_additional_pages = {"index": "start.html"}
html_copy_source = False
html_show_sphinx = False
