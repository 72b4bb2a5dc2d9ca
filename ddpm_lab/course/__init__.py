"""What the notebooks show: figures, explorers, exercises. The library imports none of it.

`figures` draws data, `diagrams` ideas; `style` says how both look, `display` puts them into the
notebook.
"""
