# Two commands are all a reader needs: `make lab` and `make test`.
# All of it is in lab.py, which also runs where there is no make: `py lab.py test` on Windows.
#
#   make lab CPU=1, make lab CUDA=1   PyTorch without CUDA, or with it, whatever this machine has
#   make lab ARGS="--port 9999"     what follows goes on to JupyterLab, or to pytest
#   make test PY=python3.12         with this Python

PY ?= python3
WORDS = $@ $(if $(CPU),--cpu) $(if $(CUDA),--cuda) $(ARGS)

lab test setup doctor clean:
	@$(PY) lab.py $(WORDS)

# For authors; `python -m tools --help` says what they are.
lint format notebooks site browser mutants bench slides projector badges lock:
	@$(PY) -m tools $(WORDS)

.PHONY: lab test setup doctor clean lint format notebooks site browser mutants bench slides projector badges lock
