"""The set-up of .venv for lab.py: only the standard library, and syntax that Python 3.6 can read.

`place` (what is there), `obstacles` (what a machine may lack), `packages` (pip), `pip_words` (what
its complaints mean), `environment` (make, repair, remove).
"""
