"""Variable Sky: surveys -> light curves -> features -> trained models -> calibrated catalogue -> report."""

import gc
import logging
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")
# A plan is millions of objects that stay: to look through them for garbage again and again is a sixth of its time.
gc.set_threshold(1_000_000, 50, 1000)
sys.path.insert(0, str(workflow.basedir))
logging.raiseExceptions = False  # where a full disk takes no more of Snakemake's log, its lines are on the screen

from workflow_scripts import edge, run_file, settings
from workflow_scripts.surveys import plan, registry

# A run is one file: --configfile replaces the default run, it does not add to it.
if "run" not in config and not workflow.overwrite_configfiles:

    configfile: Path(workflow.basedir) / "config/config.yaml"


run_file.check_keys(map(Path, workflow.configfiles))
settings.complete(config, Path(workflow.basedir) / "config/config.schema.yaml", registry.offers())

RUN = f"results/{config['run']}"
settings.check_writable(Path(RUN))


include: "rules/common.smk"
include: "rules/acquire.smk"
include: "rules/lightcurves.smk"
include: "rules/classify.smk"
include: "rules/clusters.smk"
include: "rules/report.smk"


edge.adopt(workflow)

if workflow.is_main_process:
    settings.check_room(Path(RUN))
    for line in plan.lines(config):
        logger.info(line)


rule predictions:
    message:
        "Run {config[run]}: both boosters have predicted every science object."
    input:
        predicted_files(SCIENCE, "lightgbm"),
        predicted_files(SCIENCE, "xgboost"),
        rules.check_labels.output.usable,


rule clusters:
    message:
        "Run {config[run]}: open clusters are complete."
    input:
        summaries=expand(rules.summarise_cluster.output, region=REGIONS),
        report=rules.cluster_report.output if REGIONS else [],


rule all:
    message:
        "Run {config[run]}: catalogues, report and open clusters are complete."
    default_target: True
    input:
        checked=rules.check_labels.output.usable if SAMPLES else [],
        final=final,
        provenance=rules.provenance.output,
