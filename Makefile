VENV := .venv
PYTHON ?= python3
DATA ?= ../shared/data
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
FEDERATED := .venv-federated

.PHONY: install demo test test-fast test-federated lint bench gpu docs clean

install: $(INSTALLED)

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(INSTALLED)

demo: install
	$(BIN)/diswot run

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-federated: $(FEDERATED)/.installed
	FLWR_TELEMETRY_ENABLED=0 FLWR_DISABLE_UPDATE_CHECK=1 RAY_USAGE_STATS_ENABLED=0 \
		$(FEDERATED)/bin/python -m pytest tests/methods/test_flower.py tests/methods/test_federated_privacy.py

$(FEDERATED)/.installed: setup.cfg constraints-federated.txt
	$(PYTHON) -m venv $(FEDERATED)
	$(FEDERATED)/bin/python -m pip install --quiet --constraint constraints-federated.txt \
		--editable '.[dask,federated,privacy]' hypothesis pytest
	touch $(FEDERATED)/.installed

test-fast: install
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not processes"

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: install
	$(BIN)/python -m benchmarks --data-root $(DATA)
	$(BIN)/python -m benchmarks.documentation

gpu: install
	$(BIN)/python -m benchmarks.gpu

docs: install
	$(BIN)/python -m benchmarks.documentation
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

clean:
	rm -rf $(VENV) $(FEDERATED) runs build site *.egg-info .mypy_cache .ruff_cache .hypothesis
