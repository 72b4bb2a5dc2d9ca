"""From the text of a chapter to its notebooks, one job a module (the command: `tools/chapters.py`).

In order: `colab` (the set-up cell), `sources` (text to cells), `exercises` (the checks in them),
`stored` (notebook files), `running`, `comparing`, `building`, `release` (nbgrader), and the rules:
`lint`, `mathematics`, `leaks`, `links`. A module imports only from those before it.
"""
