# From the outside world to objects, photometry and raw light curves in the project's own tables.


rule simulate_sample:
    message:
        "Simulated survey for sample {wildcards.sample}."
    output:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
        photometry=f"{RUN}/samples/{{sample}}/photometry.parquet",
        raw=f"{RUN}/raw/{{sample}}.parquet",
    log:
        f"{RUN}/logs/simulate_sample/{{sample}}.log",
    wildcard_constraints:
        sample=from_source("demo"),
    params:
        demo=lambda wildcards: SAMPLES[wildcards.sample]["demo"],
        n_shards=lambda wildcards: len(SHARDS[wildcards.sample]),
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/simulate_sample.py"


rule read_sample:
    message:
        "Light curves of sample {wildcards.sample} from the user's files."
    input:
        light_curves=lambda wildcards: SAMPLES[wildcards.sample]["local"]["light_curves"],
        object_lists=lambda wildcards: SAMPLES[wildcards.sample]["local"]["objects"],
        photometry_lists=lambda wildcards: SAMPLES[wildcards.sample]["local"]["photometry"],
    output:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
        photometry=f"{RUN}/samples/{{sample}}/photometry.parquet",
        raw=f"{RUN}/raw/{{sample}}.parquet",
    log:
        f"{RUN}/logs/read_sample/{{sample}}.log",
    wildcard_constraints:
        sample=from_source("local"),
    params:
        source=lambda wildcards: local_source(wildcards.sample),
        n_shards=lambda wildcards: len(SHARDS[wildcards.sample]),
        plugin=lambda wildcards: plugin(local_source(wildcards.sample)["format"]),
        stamp=lambda wildcards: stamp(local_files(wildcards.sample)),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/read_sample.py"


rule download_catalogue:
    message:
        "Catalogue {wildcards.catalogue}: {params.survey} {params.where}"
    output:
        sources=f"{RUN}/published/{{catalogue}}.parquet",
    log:
        f"{RUN}/logs/download_catalogue/{{catalogue}}.log",
    params:
        survey=lambda wildcards: catalogue(wildcards.catalogue)["survey"],
        where=lambda wildcards: catalogue(wildcards.catalogue)["where"],
        folder=f"{DOWNLOADS}/catalogues/{{catalogue}}",
        mirrors=config["mirrors"],
        pace=config["pace"],
        seed=config["seed"],
        plugin=lambda wildcards: plugin(catalogue(wildcards.catalogue)["survey"]),
    localrule: True
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/download_catalogue.py"


rule label_sample:
    message:
        "Objects of sample {wildcards.sample} from {input.catalogues}; of two, those on whose class both agree."
    input:
        catalogues=lambda wildcards: expand(
            rules.download_catalogue.output.sources, catalogue=archive(wildcards.sample)["objects"]
        ),
    output:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
        agreement=f"{RUN}/samples/{{sample}}/agreement.parquet",
    log:
        f"{RUN}/logs/label_sample/{{sample}}.log",
    wildcard_constraints:
        sample=one_of(ARCHIVED),
    params:
        survey=lambda wildcards: survey_title(wildcards.sample),
        radius_arcsec=lambda wildcards: archive(wildcards.sample)["radius_arcsec"],
        classes=config["classes"],
        ignore_labels=config["ignore_labels"],
        accept=lambda wildcards: archive(wildcards.sample)["accept"],
        n_max=lambda wildcards: archive(wildcards.sample)["at_most"],
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/label_sample.py"


rule download_light_curves:
    message:
        "Light curves of {wildcards.sample} from {params.survey}, shard {wildcards.shard}."
    input:
        objects=rules.label_sample.output.objects,
    output:
        light_curves=f"{RUN}/raw/{{sample}}/{{shard}}.parquet",
        status=f"{RUN}/samples/{{sample}}/downloads/{{shard}}.parquet",
    log:
        f"{RUN}/logs/download_light_curves/{{sample}}/{{shard}}.log",
    wildcard_constraints:
        sample=one_of(ARCHIVED),
    params:
        survey=lambda wildcards: SAMPLES[wildcards.sample]["source"],
        bands=lambda wildcards: archive(wildcards.sample)["bands"],
        radius_arcsec=lambda wildcards: archive(wildcards.sample)["radius_arcsec"],
        folder=lambda wildcards: f"{DOWNLOADS}/{SAMPLES[wildcards.sample]['source']}",
        n_shards=lambda wildcards: len(SHARDS[wildcards.sample]),
        mirrors=config["mirrors"],
        pace=config["pace"],
        seed=config["seed"],
        plugin=lambda wildcards: plugin(SAMPLES[wildcards.sample]["source"]),
    localrule: True
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/download_light_curves.py"


rule read_hats:
    message:
        "Light curves of {wildcards.sample} from a HATS collection, shard {wildcards.shard}."
    input:
        targets=lambda wildcards: expand(
            rules.download_catalogue.output.sources, catalogue=SAMPLES[wildcards.sample]["hats"]["objects"] or []
        ),
    output:
        shard_rows=f"{RUN}/raw/{{sample}}/{{shard}}.parquet",
        shard_objects=f"{RUN}/samples/{{sample}}/objects/{{shard}}.parquet",
    log:
        f"{RUN}/logs/read_hats/{{sample}}/{{shard}}.log",
    wildcard_constraints:
        sample=from_source("hats"),
    params:
        source=lambda wildcards: hats_source(wildcards.sample),
        n_shards=lambda wildcards: len(SHARDS[wildcards.sample]),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/read_hats.py"


rule join_objects:
    message:
        "Objects of sample {wildcards.sample}, all shards."
    input:
        shards=lambda wildcards: sharded(rules.read_hats.output.shard_objects, [wildcards.sample]),
    output:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
    log:
        f"{RUN}/logs/join_objects/{{sample}}.log",
    wildcard_constraints:
        sample=from_source("hats"),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/join_objects.py"


rule counterparts:
    message:
        "Gaia DR3, 2MASS and AllWISE counterparts of {wildcards.sample}."
    input:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
    output:
        counterparts=f"{RUN}/samples/{{sample}}/counterparts.parquet",
    log:
        f"{RUN}/logs/counterparts/{{sample}}.log",
    wildcard_constraints:
        sample=one_of(ARCHIVED + COLLECTED),
    params:
        epoch_yr=lambda wildcards: epoch_yr(wildcards.sample),
        radius_arcsec=lambda wildcards: asked(wildcards.sample)["radius_arcsec"],
        folder=f"{DOWNLOADS}/counterparts/{{sample}}",
        mirrors=config["mirrors"],
        pace=config["pace"],
        seed=config["seed"],
    localrule: True
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/counterparts.py"


rule download_dust_map:
    message:
        "Dust map Bayestar19, 0.73 GB."
    output:
        dust_map=input_files.DUST_MAP,
    log:
        "results/dust/download.log",
    params:
        folder="results/dust/download",
        mirrors=config["mirrors"],
        seed=config["seed"],
    localrule: True
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/download_dust_map.py"


rule deredden:
    message:
        "Photometry of {wildcards.sample}; extinction by map: {config[dust][map]}."
    input:
        counterparts=lambda wildcards: (
            [rules.counterparts.output.counterparts] if asked(wildcards.sample)["counterparts"] else []
        ),
        shard_objects=lambda wildcards: (
            sharded(rules.read_hats.output.shard_objects, [wildcards.sample]) if wildcards.sample in COLLECTED else []
        ),
        dust_maps=lambda wildcards: DUST_MAPS if asked(wildcards.sample)["counterparts"] else [],
    output:
        photometry=f"{RUN}/samples/{{sample}}/photometry.parquet",
        extinction=f"{RUN}/samples/{{sample}}/extinction.parquet",
    log:
        f"{RUN}/logs/deredden/{{sample}}.log",
    wildcard_constraints:
        sample=one_of(ARCHIVED + COLLECTED),
    params:
        n_shards=lambda wildcards: len(SHARDS[wildcards.sample]),
        stamp=lambda wildcards: stamp(DUST_MAPS),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/deredden.py"


# What the labelled objects lack for a split is known once they are cleaned: a job of higher priority, ready with
# boundary_lines, for which all features wait, and without any science object. Only targets ask for it. As an input of
# features, ancient or not, it would have all of an older run measured again; and where what is upstream of an ancient
# input is made anew, Snakemake does not look whether the params of the rule itself have changed (split, other folds).
rule check_labels:
    message:
        "Labelled objects can be split as the run asks."
    input:
        objects=expand(f"{RUN}/samples/{{sample}}/objects.parquet", sample=LABELLED),
        light_curves=lambda wildcards: sharded(rules.clean.output.light_curves, LABELLED),
    output:
        usable=f"{RUN}/samples/usable.parquet",
    log:
        f"{RUN}/logs/check_labels.log",
    priority: 1
    params:
        names=LABELLED,
        classes=config["classes"],
        ignore_labels=config["ignore_labels"],
        test_share=TRAINING["test_share"],
        folds=TRAINING["folds"],
        sky_blocks=TRAINING["sky_blocks"],
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/check_labels.py"


rule check_samples:
    message:
        "No object is in two samples."
    input:
        objects=expand(f"{RUN}/samples/{{sample}}/objects.parquet", sample=SAMPLES),
        light_curves=lambda wildcards: raw_files(SAMPLES),
    output:
        samples=f"{RUN}/samples/samples.parquet",
    log:
        f"{RUN}/logs/check_samples.log",
    priority: 1
    params:
        names=list(SAMPLES),
        roles=[s["role"] for s in SAMPLES.values()],
        n_files=[len(raw_files([name])) for name in SAMPLES],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/check_samples.py"


# The record is an input of every rule of a final table: edge.py writes it into the table. Each branch has its own, so
# that the clusters do not wait for the light curves.
rule inputs:
    message:
        "Inputs of the branch {wildcards.branch}, each with its SHA-256."
    input:
        files=lambda wildcards: [path for *_, path in INPUTS[wildcards.branch].files],
        light_curves=lambda wildcards: raw_files(INPUTS[wildcards.branch].from_archives),
    output:
        inputs=f"{RUN}/inputs/{{branch}}.parquet",
        record=f"{RUN}/inputs/{{branch}}.json",
    log:
        f"{RUN}/logs/inputs/{{branch}}.log",
    params:
        described=lambda wildcards: [(what, whose) for what, whose, _ in INPUTS[wildcards.branch].files],
        from_archives=lambda wildcards: {name: len(SHARDS[name]) for name in INPUTS[wildcards.branch].from_archives},
        simulated=lambda wildcards: list(INPUTS[wildcards.branch].simulated),
        configuration=RECORDED,
        lock=LOCK,
        stamp=lambda wildcards: stamp(path for *_, path in INPUTS[wildcards.branch].files),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/inputs.py"
