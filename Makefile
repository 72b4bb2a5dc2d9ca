# Two commands are all a reader needs: `make lab` and `make test`.
# All of it is in lab.py, which also runs where there is no make: `py lab.py test` on Windows.
#
#   make lab CPU=1, make lab CUDA=1   PyTorch without CUDA, or with it, whatever this machine has
#   make lab ARGS="--port 9999"     what follows goes on to JupyterLab, or to pytest
#   make test PY=python3.12         with this Python

PY ?= python3

lab test setup doctor browser notebooks mutants bench lint format lock clean:
	@$(PY) lab.py $@ $(if $(CPU),--cpu) $(if $(CUDA),--cuda) $(ARGS)

.PHONY: lab test setup doctor browser notebooks mutants bench lint format lock clean
