# From the outside world to objects, photometry and raw light curves in the project's own tables.


rule simulate_sample:
    message:
        "Simulated survey for sample {wildcards.sample}."
    output:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
        photometry=f"{RUN}/samples/{{sample}}/photometry.parquet",
        shards=expand(f"{RUN}/raw/{{{{sample}}}}/{{shard}}.parquet", shard=SHARDS),
    log:
        f"{RUN}/logs/simulate_sample/{{sample}}.log",
    wildcard_constraints:
        sample=from_source("demo"),
    params:
        demo=lambda wildcards: SAMPLES[wildcards.sample]["demo"],
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
        shards=expand(f"{RUN}/raw/{{{{sample}}}}/{{shard}}.parquet", shard=SHARDS),
    log:
        f"{RUN}/logs/read_sample/{{sample}}.log",
    wildcard_constraints:
        sample=from_source("local"),
    params:
        source=lambda wildcards: local_source(wildcards.sample),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/read_sample.py"


rule check_samples:
    message:
        "No object is in two samples."
    input:
        objects=expand(f"{RUN}/samples/{{sample}}/objects.parquet", sample=SAMPLES),
        light_curves=expand(f"{RUN}/raw/{{sample}}/{{shard}}.parquet", sample=SAMPLES, shard=SHARDS),
    output:
        samples=f"{RUN}/samples/samples.parquet",
    log:
        f"{RUN}/logs/check_samples.log",
    params:
        names=list(SAMPLES),
        roles=[s["role"] for s in SAMPLES.values()],
        n_shards=len(SHARDS),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/check_samples.py"
