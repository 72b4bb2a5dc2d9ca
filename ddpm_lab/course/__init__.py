"""What the notebooks show: figures, explorers, exercises. The library imports none of it.

`figures` draws, `style` says how it looks, `display` puts it into the notebook.
"""
