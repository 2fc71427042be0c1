# One HTML file that a person reads from top to bottom; its figures also go to Snakemake's own report.


rule report:
    message:
        "Report of run {config[run]}."
    input:
        samples=rules.check_samples.output.samples,
        objects=expand(f"{RUN}/samples/{{sample}}/objects.parquet", sample=CLASSIFIED),
        # Functions, since Snakemake plans a written list of n files in n^2 steps.
        cleaning=lambda wildcards: sharded(rules.clean.output.cleaning, CLASSIFIED),
        light_curves=lambda wildcards: sharded(rules.clean.output.light_curves, CLASSIFIED),
        labels=rules.split.output.labels,
        split=rules.split.output.split,
        metrics=rules.evaluate.output.metrics,
        confusion=rules.evaluate.output.confusion,
        importance=expand(rules.importance.output.importance, model=BOOSTERS),
        calibration_metrics=rules.calibrate.output.metrics,
        reliability=rules.calibrate.output.reliability,
        risk_coverage=rules.calibrate.output.risk_coverage,
        period_agreement=rules.period_rules.output.agreement,
        period_errors=rules.period_rules.output.errors,
        priors=expand(rules.ensemble.output.priors, sample=CLASSIFIED),
        catalogues=expand(rules.ensemble.output.catalogue, sample=CLASSIFIED),
        suspected=expand(rules.ensemble.output.suspected, sample=CLASSIFIED),
        agreement=expand(f"{RUN}/samples/{{sample}}/agreement.parquet", sample=LABELLED_BY_TWO),
        downloads=lambda wildcards: sharded(rules.download_light_curves.output.status, ARCHIVED),
        verification=expand(rules.verify_catalogue.output.verification, sample=VERIFIED),
    output:
        report=report(f"{RUN}/report/report.html", category="Report", caption="report/report.rst"),
        figures=report(
            directory(f"{RUN}/report/figures"),
            patterns=["{name}.png"],
            category="Figures",
            caption="report/figure.rst",
        ),
        tables=report(
            directory(f"{RUN}/report/tables"),
            patterns=["{name}.csv"],
            category="Tables",
            caption="report/table.rst",
        ),
    log:
        f"{RUN}/logs/report.log",
    params:
        run=config["run"],
        configuration=config,
        sample_names=CLASSIFIED,
        archived={"agreement": LABELLED_BY_TWO, "downloads": ARCHIVED, "verification": VERIFIED},
        n_shards={name: len(SHARDS[name]) for name in SAMPLES},
        assumed=assumed,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/report.py"


# What a run ends with: catalogues and their report where it has samples, members where it has regions.
catalogues = [
    *expand(rules.ensemble.output, sample=CLASSIFIED),
    *expand(rules.verify_catalogue.output, sample=VERIFIED),
    # All that `make classify` needs: without science objects no other rule asks for the final models.
    *expand(rules.train_final.output, model=BOOSTERS, data=TRAINING["data"]),
    rules.object_settings.output.settings,
    rules.report.output.report,
]
final = [
    *(catalogues if SAMPLES else []),
    *expand(rules.summarise_cluster.output, region=REGIONS),
    *(rules.cluster_report.output if REGIONS else []),
]


rule provenance:
    message:
        "What run {config[run]} was made from, with what, where and when."
    input:
        final=final,
        inputs=expand(rules.inputs.output.inputs, branch=BRANCHES),
    output:
        provenance=f"{RUN}/provenance.json",
        ro_crate=f"{RUN}/ro-crate-metadata.json",
        workflow=f"{RUN}/provenance/Snakefile",
        settings=f"{RUN}/provenance/configuration.yaml",
    log:
        f"{RUN}/logs/provenance.log",
    params:
        run=config["run"],
        configuration=config,
        lock=LOCK,
    localrule: True
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/provenance.py"
