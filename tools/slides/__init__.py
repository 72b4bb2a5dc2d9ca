"""Slides for every chapter, out of the chapters themselves: `python -m tools slides`.

The main road of a stored notebook gives the slides: its title and aims, then for each section the
heading with its first words and its numbered equations, each prediction, and each figure; at the
end the formula to keep. nbconvert makes pages for reveal.js of them. They are written to
build/slides, with reveal.js and MathJax (from npm) beside them, and are shown without a network:
open a page, then use the arrow keys.
"""
