# A thin face over CMake and the test runner.
#   make            the release command at build/narrows
#   make demo       the billion-row job, end to end, in a temporary folder
#   make test       everything that fits into some minutes; make test-all: all of it
#   make bench      the jobs beside their peers
#   make fuzz       the fuzz targets, FUZZ_SECONDS each
#   make lint       the rules of the code; make format: clang-format in place
#   make man        man pages from docs in build/man; make pages: the outputs in docs anew
#   make install    command, library, headers and man pages under PREFIX

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
NARROWS_VENV ?= .venv
FUZZ_SECONDS ?= 60
export NARROWS_VENV JOBS FUZZ_SECONDS

PYTHON = $$(if [ -x "$(NARROWS_VENV)/bin/python" ]; then echo "$(NARROWS_VENV)/bin/python"; else echo python3; fi)

.PHONY: all release deps venv demo test test-all bench fuzz lint format man pages install clean

all: release

release: deps
	@cmake --preset release >/dev/null
	@cmake --build build -j$(JOBS) --target narrows narrows_static narrows_shared

deps:
	@tools/deps.sh

venv:
	@tools/venv.sh

demo: release
	@tools/venv.sh >/dev/null 2>&1 || true
	@tools/demo.sh

test: deps venv
	@$(PYTHON) tests/run.py --tier quick

test-all: deps venv
	@$(PYTHON) tests/run.py --tier all

bench: release venv
	@for b in start_up gen first_ten shuffle copy_lineitem partition scan_lineitem nested_copy \
		parquet_decode keep avro avro_shapes sql_tpch group_by sort h2o many_partitions; do \
		$(PYTHON) bench/$$b.py || exit 1; done

fuzz: deps
	@$(PYTHON) tests/run.py --tier all --only fuzz

lint:
	@python3 tools/lint.py

format:
	@find src include cli tests fuzz bench -name '*.[ch]' | xargs clang-format -i

# Man pages and the outputs on the pages are made by running the command.
man: release
	@tools/mkman.py build/man

pages: release
	@tools/refill.py

install: release man
	@cmake --install build --prefix "$(PREFIX)"

clean:
	@rm -rf build build-*
