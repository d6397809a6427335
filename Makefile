# One target for everything that a user runs; `make help` lists them.
# PYTHON=/path/to/python3 names the interpreter (3.11 to 3.14) instead of searching for one.

export PYTHON
FF      := .venv/bin/ff
PY      := .venv/bin/python
INSTALL := tools/python.sh tools/install.py
LOCK    := .parts/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
           --python-version 3.11 pyproject.toml --extra install --extra test

.DEFAULT_GOAL := help
.PHONY: help reproduce paper paper-pdf live live-full ollama test verify reference lab notebooks claims doctor bench bench-quick docs install parts grader grader-small gemma audit lock clean

help: ## Show this list
	@echo "make <target>:"; sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

reproduce: ## Install, then run the profiles paper and live; a second run grades on
	@$(INSTALL) parts
	@$(FF) run params/paper.yaml params/live.yaml

paper: install ## Build the paper's tables, figures, narrative, signal and claims: no model, no download
	@$(FF) run params/paper.yaml

paper-pdf: paper ## Compile a three-page sample paper and its supplement from the outputs (needs TeX Live)
	@$(PY) tools/paper_pdf.py

live: ## Grade real traces with the embedded model for three minutes; again: three more
	@$(INSTALL) parts
	@$(FF) run params/live.yaml

live-full: ## The same without a budget of time: every row of the labelled sets
	@$(INSTALL) parts
	@$(FF) run params/live.yaml --minutes 0

ollama: ## The same as live, with models of a local Ollama server
	@$(INSTALL) parts
	@$(FF) run params/ollama.yaml

# mypy checks the types while the tests run; what it says is printed after them.
test: ## Lint, type-check and run every test, with outputs in a temporary folder
	@$(INSTALL) parts
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .
	@said=$$(mktemp); $(PY) -m mypy >$$said 2>&1 & types=$$!; trap 'kill $$types; rm -f $$said; exit 130' INT TERM; \
	$(PY) -m pytest -n auto --dist worksteal; tests=$$?; \
	wait $$types; typed=$$?; cat $$said; rm -f $$said; [ $$tests = 0 ] && [ $$typed = 0 ]

verify: install ## Build paper twice under different conditions; compare every file, also with outputs/reference
	@$(PY) tools/verify.py --sums outputs/reference/sums.txt

reference: paper ## Write the checksums of paper and the pictures that the README shows to outputs/reference
	@$(FF) verify outputs/paper --write-sums outputs/reference/sums.txt
	@cp outputs/paper/figures/crescendo_correction.png outputs/paper/figures/collected_capability.png \
	    outputs/paper/figures/coverage.png outputs/reference/

lab: ## Open JupyterLab on the notebooks
	@$(INSTALL) lab parts
	@$(PY) -m jupyterlab --notebook-dir=. $(if $(filter 0,$(shell id -u)),--allow-root) notebooks

notebooks: install ## Execute the notebooks in place, to commit them with outputs
	@$(FF) notebooks

claims: install ## Compare every published figure with the recomputed one
	@$(FF) claims

doctor: install ## Show what is installed, which graders are reachable, what to do about the rest
	@$(FF) doctor

bench: install ## Compare speed, memory and coverage with bare clients and other packages; hours, kept in benchmarks/results
	@$(PY) -m benchmarks; missed=$$?; $(PY) -m benchmarks plot; exit $$missed

bench-quick: install ## The part of it that takes two minutes
	@$(PY) -m benchmarks quick; missed=$$?; $(PY) -m benchmarks plot; exit $$missed

docs: ## Build the documentation as a site that opens from disk: outputs/site/index.html
	@$(INSTALL) docs
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet && echo outputs/site/index.html

install: ## Install into .venv from the hashed locks
	@$(INSTALL)

parts: ## Fetch the embedded model's weights and the human-labelled traces, checked by sha256
	@$(INSTALL) parts

grader: ## Fetch a better embedded grader, Qwen2.5-Coder 1.5B (1.1 GB, Apache-2.0)
	@$(INSTALL) grader

grader-small: ## Fetch its small sister, Qwen2.5-Coder 0.5B (0.5 GB, Apache-2.0)
	@$(INSTALL) grader-small

gemma: ## Fetch a second embedded model, Gemma 3 270M, under its own licence (Gemma terms)
	@$(INSTALL) gemma

audit: install ## Look up known vulnerabilities, check licences, list all parts (outputs/sbom.cdx.json)
	@$(PY) tools/audit.py

lock: install ## Recompile the lock files from pyproject.toml
	@$(LOCK) -o requirements.lock
	@$(LOCK) --extra lab -c requirements.lock -o requirements-lab.lock
	@$(LOCK) --extra browser -c requirements.lock -o requirements-browser.lock
	@$(LOCK) --extra docs -c requirements.lock -o requirements-docs.lock
	@$(LOCK) --extra cluster -c requirements.lock -o requirements-cluster.lock
	@$(LOCK) --extra stores -c requirements.lock -o requirements-stores.lock
	@$(firstword $(LOCK)) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	    --no-annotate --python-version 3.11 tools/audit.in -o tools/audit.txt

clean: ## Remove the outputs of runs; keep the environment and fetched parts
	@find outputs -mindepth 1 -maxdepth 1 ! -name .gitkeep ! -name reference -exec rm -rf {} +
