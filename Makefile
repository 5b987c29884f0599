# Every target sets up what it needs: a virtual environment in .venv, from requirements.lock, once per lock file.

PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python
UV = $(VENV)/bin/uv
# Looked up at the first mention, and then kept. Otherwise make would start a Python for each of thirty mentions.
READY = $(eval READY := $(VENV)/.ready-$(shell cksum requirements.lock | cut -d' ' -f1)-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'))$(READY)

ORDERS ?= 99441
SEED ?= 42
SAMPLE = build/sample-$(ORDERS)-$(SEED)
INPUT ?= $(SAMPLE)
OUTPUT ?= output
AS_OF ?= 2018-10-17
# The days of a backfill: the sample's last year, month by month.
FROM ?= 2017-10-31
TO ?= 2018-09-30
EVERY ?= month
ARGS ?=
# What runs Spark's plans: spark or comet; empty for the default of the jobs.
ENGINE ?=
# Where the run's tables are loaded when it is whole; empty for nowhere.
WAREHOUSE ?= $(if $(filter s3://% s3a://%,$(OUTPUT)),,duckdb:$(OUTPUT)/warehouse.duckdb)
SIZES ?= 1000000 2000000 10000000
ROWS ?= 10000000 100000000
CUSTOMERS ?= 10000000
PREFIX ?= olist-rfm
# The stacks of up and doctor, such as storage,jobs; empty for the usual ones.
ONLY ?=
# Each worker of the tests has a Spark of its own, of up to 2 GB, and keeps one core busy.
WORKERS ?= 2
# Tests that run make themselves start from its defaults. They start some hundred Pythons too, so each module is compiled
# once, also where the shell says not to (as images of containers do).
WITHOUT_TEXTS = env $(TEXTS:%=-u %) -u SAMPLE -u PYTHONDONTWRITEBYTECODE
PYTEST = $(WITHOUT_TEXTS) $(RUN) -m pytest -n "$$WORKERS" --dist loadfile --no-loadscope-reorder
DATA ?=
UPGRADE ?= --upgrade

# What a user gives is text. It reaches a command as a variable of the shell ("$$INPUT"), which neither make nor the shell
# evaluates. As $(INPUT) it would lose $b from a path, and run what is between backquotes. ARGS and TEST_ARGS alone are
# words for the shell, by intention: quotes in them group words.
TEXTS = INPUT OUTPUT AS_OF FROM TO EVERY WAREHOUSE ENGINE SQL DATA PREFIX ONLY ORDERS SEED SIZES ROWS CUSTOMERS WORKERS SOAK_SEED UPGRADE
define as_typed
override $1 := $$(value $1)
endef
$(foreach text,$(TEXTS),$(if $(filter command environment,$(firstword $(origin $(text)))),$(eval $(call as_typed,$(text)))))
export $(TEXTS) SAMPLE

define write_sample
if ! test -f "$$SAMPLE/.whole"; then \
    echo "Writing a sample of $$ORDERS orders (once) ..."; \
    $(RUN) -m jobs.sample --orders "$$ORDERS" --seed "$$SEED" --output "$$SAMPLE" && touch "$$SAMPLE/.whole" || exit; fi
endef

# The default day is that of the sample. A run on AWS has a day that somebody chose.
define needs_as_of
test "$(origin AS_OF)" != file || { echo "make: no AS_OF; expected the last day that counts, such as" \
    "AS_OF=2018-10-17" >&2; exit 2; }
endef

.DEFAULT_GOAL := help
.PHONY: help run-local backfill report sql sample test test-quick test-all soak coverage npm chromium lint lint-code lint-prose data-dictionary picture format bench bench-run bench-quality bench-kmeans bench-ledger bench-lists lock clean \
    doctor package up upload glue emr run-aws outputs down bi-template

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run-local: $(READY) ## Run the pipeline on local Spark (INPUT=, OUTPUT=, AS_OF=, WAREHOUSE=, ENGINE=, ARGS=)
	@if test "$$INPUT" = "$$SAMPLE"; then $(write_sample); fi
	@JAVA_CLASS_ARCHIVE="$${JAVA_CLASS_ARCHIVE-write}" \
	    $(RUN) -m jobs.pipeline --as-of "$$AS_OF" --input "$$INPUT" --output "$$OUTPUT" \
	    $${WAREHOUSE:+--warehouse "$$WAREHOUSE"} $${ENGINE:+--engine "$$ENGINE"} $(ARGS)

backfill: $(READY) ## Make a run for each month or week on local Spark (FROM=, TO=, EVERY=, INPUT=, OUTPUT=, ENGINE=, ARGS=)
	@if test "$$INPUT" = "$$SAMPLE"; then $(write_sample); fi
	@$(RUN) -m jobs.backfill --from "$$FROM" --to "$$TO" --every "$$EVERY" --input "$$INPUT" --output "$$OUTPUT" \
	    $${ENGINE:+--engine "$$ENGINE"} $(ARGS)

sql: $(READY) ## Open the DuckDB file that run-local leaves, in DuckDB's own command line (OUTPUT=, SQL=)
	@file="$${WAREHOUSE#duckdb:}"; \
	    case "$$file" in [Ff][Ii][Ll][Ee]:*) file="$$($(RUN) -c "$(PATH_OF_URI)" "$$file")";; esac; \
	    test -f "$$file" || { printf 'make: found no file in %s; expected what make run-local leaves. Run that first\n' \
	    "$$WAREHOUSE" >&2; exit 2; }; \
	    $(VENV)/bin/duckdb -readonly "$$file" $${SQL:+-c "$$SQL"}

PATH_OF_URI = import sys; from urllib.parse import unquote, urlsplit; print(unquote(urlsplit(sys.argv[1]).path))

report: $(READY) ## Open the report of the current run in a browser (OUTPUT=, ARGS=)
	@$(RUN) -m jobs.report --output "$$OUTPUT" --open $(ARGS)

sample: $(READY) ## Write an Olist-shaped data set to build/ (ORDERS=, SEED=)
	@$(write_sample)
	@printf '%s\n' "$$SAMPLE"

test: $(READY) ## Run the tests (TEST_ARGS=, WORKERS=)
	@$(PYTEST) $(TEST_ARGS)

test-quick: $(READY) ## Run the tests that need neither Java nor a fake of a service, in about a minute
	@$(PYTEST) -m "not spark and not services and not long and not soak" $(TEST_ARGS)

# The quick ones by way of `test`, so that `make test test-all` runs each test once.
test-all: npm chromium test ## Run all tests, the long ones too, and verify the runs of those (TEST_ARGS=, WORKERS=)
	@VERIFY_RUNS=1 $(PYTEST) -m long $(TEST_ARGS)

soak: $(READY) ## Run the random tests at length, from a new seed (SOAK_SEED=)
	@seed="$${SOAK_SEED:-$$($(PYTHON) -c 'import secrets; print(secrets.randbelow(2**32))')}"; \
	    echo "Seed $$seed. To repeat: make soak SOAK_SEED=$$seed"; $(WITHOUT_TEXTS) SOAK_SEED="$$seed" $(RUN) -m pytest -m soak

coverage: npm chromium $(READY) ## Run all tests, and say which lines none of them ran
	@$(PYTEST) -m "not soak" --cov --cov-report=term

npm:
	@command -v npm >/dev/null || { echo "make: no npm, which fetches the interpreter of the state machine for its tests;" \
	    "expected npm 9 or newer. Install it: apt-get install npm" >&2; exit 2; }

chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || { echo "make: no Chromium, in which the report is" \
	    "tested; expected chromium, chromium-browser or google-chrome. Install it: apt-get install chromium" >&2; exit 2; }

lint: lint-code lint-prose ## Check style, types, the direction of imports, and prose

lint-code: $(READY)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache

lint-prose: $(READY) ## Check spelling, sentences and words
	@$(VENV)/bin/typos
	@$(RUN) -m tests.lint.prose

data-dictionary: $(READY) ## Write docs/data-dictionary.md anew, and the columns for deploy, from the schemas
	@$(RUN) -m jobs.warehouse.data_dictionary > docs/data-dictionary.md
	@$(RUN) -m jobs.registering.columns > deploy/quicksight/columns.json

picture: chromium $(READY) ## Take the picture of the README, of the report that run-local left (OUTPUT=)
	@$(RUN) -m docs.pictures.take "$$OUTPUT"

format: $(READY) ## Put the code into the house's format
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

bench: $(READY) ## Time the feature step against its peers (ORDERS=10000000, ARGS=)
	@$(RUN) -m benchmarks.feature_step --orders "$$ORDERS" $(ARGS)

bench-run: $(READY) ## Time all steps against DuckDB, step by step (ORDERS=1000000, ARGS=)
	@$(RUN) -m benchmarks.all_steps --orders "$$ORDERS" $(ARGS)

bench-quality: $(READY) ## Time what the checks of the data cost (ORDERS=1000000)
	@$(RUN) -m benchmarks.data_quality --orders "$$ORDERS"

bench-ledger: $(READY) ## Time a ledger to rfm (ROWS="10000000 100000000", ARGS="--heaviest 0 0.2")
	@$(RUN) -m benchmarks.ledger --rows $$ROWS $(ARGS)

bench-kmeans: $(READY) ## Time the clustering of customers, and its memory (SIZES="1000000 10000000")
	@$(RUN) -m benchmarks.kmeans_step --orders $$SIZES

bench-lists: $(READY) ## Time lists of all customers beside plain copies by DuckDB (CUSTOMERS=10000000)
	@$(RUN) -m benchmarks.lists --customers "$$CUSTOMERS"

doctor: $(READY) ## See whether machine, credentials and account will do for AWS; changes nothing (PREFIX=, ONLY=)
	@$(RUN) -m deploy doctor --prefix "$$PREFIX" $${ONLY:+--only "$$ONLY"} $(ARGS)

package: $(READY) ## Build the archives that run on Glue and on EMR
	@$(RUN) -m deploy package --target glue-6.0
	@$(RUN) -m deploy package --target emr-8.1

up: $(READY) ## Make the stacks on AWS, or change what changed (PREFIX=, ONLY=, ARGS=)
	@$(RUN) -m deploy up --prefix "$$PREFIX" $${ONLY:+--only "$$ONLY"} $(ARGS)

upload: $(READY) ## Put raw files where runs on AWS read them (DATA=)
	@test -n "$$DATA" || { echo "make: no DATA, which takes the place of the raw files on AWS; expected the folder of the" \
	    "files. For a sample: make upload DATA=\$$(make -s sample)" >&2; exit 2; }
	@$(RUN) -m deploy upload "$$DATA" --prefix "$$PREFIX" $(ARGS)

glue: $(READY) ## Run the pipeline on Glue and follow it (PREFIX=, AS_OF=, ARGS=)
	@$(needs_as_of)
	@$(RUN) -m deploy glue submit --prefix "$$PREFIX" --as-of "$$AS_OF" $(ARGS)

emr: $(READY) ## Run the pipeline on EMR and follow it (PREFIX=, AS_OF=, ARGS=)
	@$(needs_as_of)
	@$(RUN) -m deploy emr submit --prefix "$$PREFIX" --as-of "$$AS_OF" $(ARGS)

run-aws: $(READY) ## Run the whole way on AWS now, and follow it (AS_OF=)
	@$(needs_as_of)
	@$(RUN) -m deploy run --prefix "$$PREFIX" --as-of "$$AS_OF" $(ARGS)

outputs: $(READY) ## Print what the stacks give out
	@$(RUN) -m deploy outputs --prefix "$$PREFIX" $(ARGS)

down: $(READY) ## Take everything down, data included; asks first (PREFIX=, ARGS="--keep data")
	@$(RUN) -m deploy down --prefix "$$PREFIX" $(ARGS)

bi-template: $(READY) ## Write the template of the stack bi anew, from the columns of its tables and its sheets
	@mkdir -p build
	@$(RUN) -m deploy.quicksight.template > build/bi.yaml && mv build/bi.yaml deploy/cloudformation/bi.yaml

# make lock UPGRADE= keeps every pin that still fits, so that a new package comes alone.
lock: $(READY) ## Resolve requirements.lock anew, for Python 3.11 and later (UPGRADE=)
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --all-extras $$UPGRADE setup.cfg --output-file requirements.lock

clean: ## Remove samples, caches and the environment, but no run
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .coverage

# uv installs from the lock in a fraction of pip's time. It does not read pip's configuration, so where pip is told
# of another index (a company's mirror, say), uv is told of it too.
$(READY): # its name has the lock file's checksum, so it is there or it is not
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	    { echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1); expected Python 3.11, 3.12 or 3.13. Say which: make PYTHON=python3.11" >&2; exit 2; }
	@test ! -L $(VENV) || { echo "make: $(VENV) is a link; expected a folder of its own. Remove the link" >&2; exit 2; }
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@grep -A99 '^uv==' requirements.lock | sed -n '1,/[^\\]$$/p' > $(VENV)/uv.lock
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(VENV)/uv.lock
	@index="$${PIP_INDEX_URL:-$$($(RUN) -m pip config get global.index-url 2>/dev/null)}"; \
	    VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes $${index:+--default-index "$$index"} requirements.lock
	@touch $@
