# The lab's commands. `make` alone lists them.

PYTHON ?= python3
UV ?= uv
ARGS ?=

VENV := .venv/bin
# Everything runs in the lab's own environment: a terminal or a notebook finds the same `labkit` and `python`.
# Modules are kept compiled although many a container's environment forbids it: each process would compile them anew.
RUN := env -u PYTHONDONTWRITEBYTECODE PATH="$(CURDIR)/$(VENV):$$PATH"
# JupyterLab refuses to start for root, which is who one is in most containers. It listens on loopback only.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help lab test demo install bench notebooks lock clean before-clean judges

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

lab: .venv/installed ## Open your copy of the lab in JupyterLab (ARGS="--no-browser --port 8899" are passed on)
	@$(RUN) labkit chapters
	@echo "Starting JupyterLab. In a few seconds its address is told below, http://127.0.0.1:..., and Ctrl-C ends it."
	@$(RUN) python -m jupyter lab --ip 127.0.0.1 --ServerApp.root_dir "$(CURDIR)" $(AS_ROOT) $(ARGS)

test: .venv/installed ## Run the whole test suite, the notebooks included (ARGS="-k scope" are passed on to pytest)
	$(RUN) python -m ruff check .
	$(RUN) python -m ruff format --check .
	$(RUN) python -m mypy
	$(RUN) lint-imports --no-cache --no-logo
	$(RUN) python -m pytest -n 3 $(ARGS)

demo: .venv/installed ## Play the whole lab in the terminal: build, call, tear down
	@$(RUN) labkit demo $(ARGS)

install: .venv/installed ## Set up .venv from the locked dependencies (the other commands do it by themselves)

bench: .venv/installed ## Measure how fast it is
	@$(RUN) python -m tests.bench $(ARGS)

notebooks: .venv/installed ## Run the notebooks and write them back with fresh outputs
	@$(RUN) python -m tests.notebooks.canonical notebooks/*.ipynb notebooks/*/*.ipynb

# Extras stay named: an older pip takes the newest release for one that is not, and then finds no hash of it.
LOCKED := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --custom-compile-command "make lock"

lock: ## Write requirements.lock anew from pyproject.toml (needs uv; ARGS="--upgrade" takes newer versions)
	$(LOCKED) --all-extras --group build $(ARGS) --output-file requirements.lock pyproject.toml
	$(LOCKED) $(ARGS) --output-file tests/awscli/requirements.lock tests/awscli/requirements.in
	$(LOCKED) $(ARGS) --output-file tests/judges/requirements.lock tests/judges/requirements.in

clean: before-clean ## Stop the embedded cloud and remove .venv and caches
	rm -rf .venv .venv-awscli .venv-judges .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# What has to be said or stopped while `labkit` is still there.
before-clean:
	@if [ -x $(VENV)/labkit ]; then \
		$(VENV)/labkit cloud stop || true; \
		standing=$$($(VENV)/labkit labs) || true; \
		if [ -n "$$standing" ]; then \
			printf '%s\n' "These labs still stand in a real account. Take them away with: labkit down" "$$standing"; \
		fi; \
	fi

# Wheels alone, and only those that the lock names: nothing that is fetched runs code while it is installed.
LOCKED_INSTALL := pip install --disable-pip-version-check --only-binary :all: --require-hashes
# pip's own words are many and its --quiet is a long silence: a dot for each package, and a word when they are all there.
AS_DOTS := while read -r word _; do case $$word in \
	Collecting) printf .;; \
	Installing) printf '\nAll are here. Now they are unpacked, which takes about as long again.\n';; \
	FAILED) printf '\nNot every package could be had; pip says why, above. The same command begins again.\n' >&2; exit 1;; \
	esac; done

# Later runs touch no network: the environment is made once, and again only when its inputs change.
.venv/installed: requirements.lock pyproject.toml $(wildcard labkit/jupyter/*.json)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The lab needs Python 3.11 or newer, and \`$(PYTHON)\` is not." \
			"Name one that is: make $(MAKECMDGOALS) PYTHON=python3.13"; exit 1; }
	@echo "Setting up .venv, once. This takes a minute or two."
	@$(PYTHON) -m venv .venv || { \
		echo "\`$(PYTHON)\` cannot make a virtual environment." \
			"On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@{ $(VENV)/python -m $(LOCKED_INSTALL) -r requirements.lock || echo FAILED; } | { $(AS_DOTS); }
	@echo "Installing the lab itself."
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation -e .
	@touch $@

# Judges from outside, each in an environment of its own, since they pin packages: the AWS CLI, into which the tests
# paste the lab's lines; parliament, cfn-lint and moto. `.ci/run` has them; without them their tests are skipped.
judges: .venv-awscli/installed .venv-judges/installed

.venv-awscli/installed: tests/awscli/requirements.lock
	@$(PYTHON) -m venv .venv-awscli
	@.venv-awscli/bin/python -m $(LOCKED_INSTALL) --quiet -r $<
	@touch $@

.venv-judges/installed: tests/judges/requirements.lock
	@$(PYTHON) -m venv .venv-judges
	@.venv-judges/bin/python -m $(LOCKED_INSTALL) --quiet -r $<
	@touch $@
