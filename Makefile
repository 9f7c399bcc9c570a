# make demo   the whole way on made-up data       make test   every test
# make check  format, lint, types, fast tests     make lock   pin the dependencies anew
#
# make engine-test    upstream's own tests under the shims (about an hour; ARGS narrows it down, RECORD=1 records it)
# make engine-models  every architecture of the engine trained, exported and run (hours)
# make engine-templates  every config template built by the engine (ARGS=--train: and trained for two steps; hours)
# make long-test      clusters of this machine, by processes and by Slurm (which root has installed); anchors of all templates;
#                     ten minutes of damaged files for the reader of each format (TFOD_FUZZ_SECONDS; ARGS="-k fuzz")
# make template-table    writes the table of templates into docs/templates.md
# make engine-verdicts   every case of what check_config calls an error, on the engine (ARGS="CODE ...")
# make engine-wild    configs of other people, trained for two steps, against what check_config says of them
# make attack         hostile input for every command, some thousand runs (minutes; ARGS="--kinds=signals --seed=7")
# make matrix         every TensorFlow with every Python that is here, in environments of their own (hours; ARGS=2.17.1/3.12)

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check lock clean template-table engine-test engine-models engine-templates engine-verdicts engine-wild \
  long-test attack matrix

demo: $(READY)
	$(BIN)/python -m tfod_tools.demo

test: check
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "engine or slow"

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 -m "not engine and not slow and not long"

engine-test: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m campaigns.upstream $(ARGS)

engine-models: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m campaigns.models $(ARGS)

long-test: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m campaigns.clusters.install_slurm
	$(BIN)/python -m pytest -m long $(ARGS)

engine-templates: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m campaigns.models.templates $(ARGS)

template-table: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m support.template_table

engine-verdicts: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m campaigns.verdicts $(ARGS)

engine-wild: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m campaigns.verdicts.wild $(ARGS)

attack: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m campaigns.attack $(ARGS)

# The environment is made anew when the lock or the package's metadata is newer than it.
$(READY): requirements.lock setup.py
	@echo "Installing requirements.lock into .venv: 3.6 GB on disk, some minutes."
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "The lock file is for Python 3.11: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	touch $@

matrix: $(READY)
	PYTHONPATH=tests:. $(BIN)/python -m campaigns.matrix $(ARGS)

lock: $(READY)
	echo "tensorflow~=2.20.0" | $(BIN)/uv pip compile setup.py - --extra train --extra dev --python-version 3.11 \
	  --python-platform linux --generate-hashes --no-annotate --custom-compile-command "make lock" --upgrade \
	  --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache demo_output *.egg-info build
