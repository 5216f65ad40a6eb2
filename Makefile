# Everything here needs only Python 3.11 or newer, pip and make: the rest goes into .venv, once.
#
#   make demo        make test        make help

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: browser detected detections demo test coverage planted soak bench runtimes formats larks large candidates found lint format generate clean help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto
HOSTS := timm torchvision transformers

# The environment is this folder's own; one thread per process, since the tests run side by side.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export OMP_NUM_THREADS = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

demo: $(READY) ## check, compile and run SpineNet-49, then show three mistakes and their messages
	@$(BIN)/python examples/demo/demo.py

test: lint ## lint, formatting, types, import contracts, then every test
	@echo "== tests"
	@$(BIN)/pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal $(ARGS)

# The tests that know the core best; the others would add little and take long under the tracer.
CORE := tests/test_*.py tests/ir tests/syntax tests/ops tests/backends tests/analysis tests/weights tests/agreement \
	tests/laws/test_laws.py tests/passes tests/spaces tests/checks tests/cli/test_commands.py tests/cli/test_explain.py \
	tests/cli/test_lints.py \
	--ignore tests/test_documents.py --ignore tests/test_packaging.py

coverage: $(READY) ## the branches of the core that the tests take; fails below the floor in tests/floor.py
	@echo "== coverage of the core"
	@$(BIN)/pytest -q --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal --cov --cov-report=json:.coverage.json --cov-report=term $(CORE) $(ARGS)
	@$(BIN)/python tests/floor.py .coverage.json

planted: $(READY) ## plant bugs one at a time, and see that the tests notice each
	@$(BIN)/python -m benchmarks.planted $(ARGS)

# No cache for import-linter: it misses what a new file changes for the others.
lint: $(READY) ## everything that is checked without running it
	@echo "== lint: ruff check"
	@$(BIN)/ruff check --quiet --output-format concise .
	@echo "== formatting: ruff format --check"
	@$(BIN)/ruff format --quiet --check --output-format concise . || { echo "not formatted as above: run 'make format'"; exit 1; }
	@echo "== types: mypy"
	@$(BIN)/mypy --no-error-summary
	@echo "== import contracts: import-linter"
	@$(BIN)/lint-imports --no-logo --no-cache

format: $(READY) ## write Python as the lint expects it
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

MINUTES ?= 8
SOAK_WORKERS ?= 2

soak: $(READY) ## the laws on many random networks, MINUTES=8 long; goes on where it stopped; figures go into RELIABILITY.md
	@$(BIN)/python tests/soak.py --minutes $(MINUTES) --workers $(SOAK_WORKERS)

bench: $(READY) ## time the compiler beside what one would do instead
	@$(BIN)/python -m benchmarks.bench $(ARGS)

CACHE ?= $(HOME)/.cache/spinedsl

runtimes: $(READY) ## the examples' models in ONNX Runtime 1.15, 1.17 and the newest, in environments below CACHE
	@$(BIN)/python -m benchmarks.runtimes --cache $(CACHE) $(ARGS)

formats: $(READY) ## export to ExecuTorch and LiteRT, each in an environment below CACHE, and compare with PyTorch
	@$(BIN)/python -m benchmarks.formats --cache $(CACHE) $(ARGS)

larks: $(READY) ## the grammar's tables by the lowest and the newest Lark, in environments below CACHE
	@$(BIN)/python -m benchmarks.larks --cache $(CACHE) $(ARGS)

large: $(READY) ## write a model of over 2 GB, load it, and kill a hundred of its writers
	@$(BIN)/python -m benchmarks.large $(ARGS)

processes: $(READY) ## two training processes beside one that takes their halves in turn, 50 steps
	@$(BIN)/python -m benchmarks.processes $(ARGS)

resumed: $(READY) ## kill fifty training runs at random steps, resume them, and compare to the last bit; goes on where it stopped
	@$(BIN)/python -m benchmarks.resumed --folder $(CACHE)/resumed $(ARGS)

SEEDS ?= 3
JOBS ?= 1

learned: $(READY) ## train the examples on their real images, SEEDS=3 times each, JOBS=1 at a time: hours; goes on where it stopped
	@$(BIN)/python -m benchmarks.learned --folder $(CACHE)/learned --seeds $(SEEDS) --jobs $(JOBS) $(ARGS)

detected: $(READY) ## the SpineNet paper's four networks at a quarter of their width on objects of many sizes, SEEDS=3: hours; goes on
	@$(BIN)/python -m benchmarks.detected --folder $(CACHE)/detected --seeds $(SEEDS) $(ARGS)

detections: $(READY) ## the boxes of 500 random heads by PyTorch, generated files and ONNX Runtime: the same, in the same order
	@$(BIN)/python -m benchmarks.detections $(ARGS)

ORT_WEB := onnxruntime-web@1.30.0

browser: $(READY) ## the page of docs/browser in Chromium, with onnxruntime-web below CACHE, which npm gets
	@mkdir -p $(CACHE)/browser
	@cd $(CACHE)/browser && { [ -e package/dist ] || { npm pack --silent $(ORT_WEB) && tar -xzf onnxruntime-web-*.tgz; }; }
	@ONNXRUNTIME_WEB=$(CACHE)/browser/package/dist $(BIN)/pytest -q tests/test_browser_page.py $(ARGS)

candidates: $(READY) ## 100,000 candidates of search spaces, drawn, changed and crossed, hold what is promised; goes on where it stopped
	@$(BIN)/python -m benchmarks.candidates hold --folder $(CACHE)/candidates $(ARGS)

found: $(READY) ## candidates trained on objects of many sizes, what cheap figures tell of them, engines by a regression; ARGS=--longer: hours
	@$(BIN)/python -m benchmarks.found --folder $(CACHE)/found $(ARGS)

searched: $(READY) ## engines against chance over ten seeds, a trial's cost by 10,000, and 100 kills of workers, in SQLite and PostgreSQL
	@$(BIN)/python -m benchmarks.searched better $(ARGS)
	@$(BIN)/python -m benchmarks.searched killed $(ARGS)
	@$(BIN)/python -m benchmarks.searched killed --postgres $(ARGS)
	@$(BIN)/python -m benchmarks.searched overhead $(ARGS)
	@$(BIN)/python -m benchmarks.searched overhead --postgres $(ARGS)

generate: $(READY) ## rewrite generated/ from examples/
	@$(BIN)/python tests/generate.py

clean: ## remove .venv and everything that tools left behind
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks .coverage .coverage.json
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The stamp goes first and comes back last: an environment whose making was interrupted is made again from nothing,
# and one that is only out of date is brought up to date in place.
# PyTorch is installed by itself so that a long download says what it is; PIP_EXTRA_INDEX_URL may name an index with
# CPU-only builds, which are much smaller.
$(READY): pyproject.toml constraints.txt
	@set -e; \
	if [ ! -e $(READY) ]; then \
		for python in $(PYTHON) python3 python3.11 python3.12 python3.13; do \
			"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
			python=; \
		done; \
		[ -n "$$python" ] || { echo "no Python 3.11 or newer with venv and pip found; say where: make PYTHON=..."; exit 1; }; \
		echo "== setting up $(VENV) with $$("$$python" --version), once; this takes a few minutes"; \
		"$$python" -m venv --clear $(VENV); \
	else \
		echo "== bringing $(VENV) up to date"; \
	fi; \
	rm -f $(READY); \
	echo "   PyTorch, and what builds the package"; \
	$(BIN)/python -m pip install -qq --constraint constraints.txt torch hatchling hatch-fancy-pypi-readme; \
	echo "   spinedsl, with everything for running and testing it"; \
	$(BIN)/python -m pip install -qq --constraint constraints.txt --no-build-isolation --editable '.[dev]'; \
	echo "   $(HOSTS): the hosts of adapters"; \
	$(BIN)/python -m pip install -qq --constraint constraints.txt $(HOSTS) \
		|| echo "   some could not be installed: the tests of their adapters will be skipped"; \
	$(BIN)/python -m compileall -q spinedsl; \
	touch $(READY)
