"""The course as a web page, for whoever has only a browser: `make site` writes build/site/html.

`frames` draws every explorer at each stop of its controls, so that its picture moves without a
kernel; `pages` turns the stored notebooks, the package and docs/ into the pages that Sphinx reads;
`python -m tools.site` does both and calls Sphinx. Nothing is run but the explorers' drawings, and
nothing is fetched.
"""
