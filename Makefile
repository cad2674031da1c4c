# What to type in a fresh clone: `make example` or `make test`. Each installs what is missing, then does the job.
#
#   PYTHON=/path/to/python3   which Python (>= 3.11, with a shared libpython) the virtual environment is made from
#   FENNOL=/path/to/venv      an environment with FeNNol in it, for compare-fennol and benchmark-fennol
#   TORCH=cpu | cuda          which PyTorch build is installed (default: cuda where nvidia-smi finds a GPU, else cpu)

SHELL := /bin/bash
VENV := .venv
FENNOL := .fennol-env
FENNOL_READY := $(if $(filter .fennol-env,$(FENNOL)),.fennol-env/.installed)
# The build tools of the virtual environment (meson, ninja, f90wrap) come before the system's
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHON TORCH
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BUILD_FILES := pyproject.toml meson.build $(shell find fortran pyfennix -name meson.build -o -name kind_map)

.DEFAULT_GOAL := help
.PHONY: help example example-python example-own-model example-ranks example-distill test test-physics build lint docs benchmark benchmark-ranks \
	compare-fennol benchmark-fennol clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

example: build ## 216 waters with two levels of network: a run, its log and a figure (examples/01_water)
	examples/01_water/run.sh

example-python: build ## the same from Python (examples/02_python)
	$(VENV)/bin/python examples/02_python/water.py

example-own-model: build ## a potential of your own (examples/03_own_model)
	examples/03_own_model/run.sh

example-ranks: build ## the same run on one rank and on two, compared (examples/04_ranks)
	examples/04_ranks/run.sh

example-distill: build ## a fast model for a droplet of water made from the accurate one (examples/05_distill)
	examples/05_distill/run.sh

test: build lint ## linters and every test
	$(VENV)/bin/meson test -C build/editable --print-errorlogs
	$(VENV)/bin/pytest -n 2 --dist loadfile

test-physics: build ## only the tests of the physics
	$(VENV)/bin/pytest -m physics

build: $(VENV)/.installed ## install pyfennix into .venv (editable: Python edits count at once, Fortran at the next import)
	@$(VENV)/bin/python -c "import pyfennix"

lint: $(VENV)/.requirements ## ruff and fortitude
	$(VENV)/bin/ruff check .
	$(VENV)/bin/fortitude check fortran tests

docs: build ## write docs/keywords.md from the program's own table
	$(VENV)/bin/python tools/write_keywords.py docs/keywords.md

benchmark: build ## cost of the two levels and of the driver
	$(VENV)/bin/python benchmarks/levels.py

benchmark-ranks: build ## parallel efficiency of each level on two ranks, against two runs at once (docs/scaling.md)
	$(VENV)/bin/python benchmarks/ranks.py

compare-fennol: build $(FENNOL_READY) ## random systems with FeNNol installed beside: same energies, forces, virials, files
	$(VENV)/bin/python tools/fennol/compare.py --fennol $(FENNOL)/bin/python

benchmark-fennol: build $(FENNOL_READY) ## speed and memory against FeNNol's (docs/performance.md); an hour
	$(VENV)/bin/python benchmarks/against_fennol.py --fennol $(FENNOL)/bin/python

clean: ## remove build products and example output
	rm -rf build examples/*/output $(VENV)/.installed
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

distclean: clean ## remove the virtual environments as well
	rm -rf $(VENV) .fennol-env

$(VENV)/.requirements: requirements.txt tools/setup.sh
	tools/setup.sh
	touch $@

$(VENV)/.installed: $(VENV)/.requirements $(BUILD_FILES)
	$(VENV)/bin/python -m pip install --quiet --no-build-isolation --no-deps -Cbuild-dir=build/editable \
		-Csetup-args=-Dtests=true --editable .
	touch $@

.fennol-env/.installed: $(VENV)/.requirements tools/fennol/requirements.txt
	$(VENV)/bin/python -m venv .fennol-env
	.fennol-env/bin/python -m pip install --quiet -r tools/fennol/requirements.txt
	touch $@
