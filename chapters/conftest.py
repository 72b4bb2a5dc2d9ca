"""For nbval: the chapters are compared with numbers that were made with this arithmetic.

Matrix products and vector functions round a little differently on each kind of processor, and a
few thousand training steps blow that up to the third digit. These settings choose code that all
x86 processors since about 2015 share. Tests only: JupyterLab has the full speed of your machine.
`tools/chapters.py` builds with the same settings.
"""

import os

os.environ.update(
    ATEN_CPU_CAPABILITY="avx2",  # PyTorch's own loops
    MKL_CBWR="COMPATIBLE",  # its matrix library
    OMP_NUM_THREADS="1",  # sums in one order
)
