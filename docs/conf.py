"""What Sphinx is told. `make site` copies this folder, adds the chapters, and calls Sphinx."""

import os
import re

import ddpm_lab

project = "ddpm-lab"
author = copyright = "the ddpm-lab authors"
version = release = ddpm_lab.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx-mathjax-offline",  # formulas are set without a network too
    "sphinx_copybutton",
]
exclude_patterns = ["README.md"]

# The notebooks come with their outputs, which the tests hold; none is run here.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "tools.site.pages.anchor"
suppress_warnings = ["myst.header", "ref.python"]  # headings skip a level; two fields called t

default_role = "code"
highlight_language = "none"  # what stands between ``` is for a shell, unless it names a language
autodoc_typehints = "none"  # the docstrings say the types, with shapes and units
napoleon_use_rtype = False
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "sphinx_book_theme"
html_title = "ddpm-lab"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["explorer.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("explorer.js", "ledger.js", "paper.js")]
html_show_sphinx = False
html_last_updated_fmt = None
html_copy_source = True
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_theme_options = {
    "use_download_button": True,
    "show_toc_level": 2,
    "show_navbar_depth": 1,
    "home_page_in_toc": False,
}

# Where this is, if it is built on GitHub: then each chapter gets buttons for Colab and Binder.
_REPOSITORY = os.environ.get("GITHUB_REPOSITORY", "")
if _REPOSITORY:
    html_theme_options |= {
        "repository_url": f"https://github.com/{_REPOSITORY}",
        "repository_branch": os.environ.get("GITHUB_REF_NAME", "main"),
        "path_to_docs": "",
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }


def _unwrapped(app, doctree):
    r"""Display formulas as they stand: Sphinx would wrap those of several lines in `split`, where
    MathJax does not allow \tag.
    """
    from docutils import nodes

    for node in doctree.findall(nodes.math_block):
        text = node.astext()
        if not re.match(r"\s*\\begin\{align\*?\}", text):
            text = rf"\[{text}\]"
        node.children = [nodes.Text(text)]
        node["no-wrap"] = node["nowrap"] = True


def _plain(app, what, name, obj, options, lines):
    """Docstrings are plain text, where `*` and `|` are mathematics and no markup."""
    for k, line in enumerate(lines):
        if not re.match(r"\s*(>>>|\.\.\.)", line):
            parts = line.split("`")
            parts[::2] = [re.sub(r"([*|])", r"\\\1", part) for part in parts[::2]]
            lines[k] = "`".join(parts)


def setup(app):
    app.connect("doctree-read", _unwrapped)
    app.connect("autodoc-process-docstring", _plain, priority=400)  # then comes napoleon
