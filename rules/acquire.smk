# From the outside world to objects, photometry and raw light curves in the project's own tables.

SAMPLES = config["samples"]
SHARDS = [f"{i:04d}" for i in range(config["shards"])]
LABELLED = [name for name, s in SAMPLES.items() if s["role"] == "labelled"]
SCIENCE = [name for name, s in SAMPLES.items() if s["role"] == "science"]
CLASSIFIED = LABELLED + SCIENCE


wildcard_constraints:
    sample="[A-Za-z0-9_]+",
    shard=r"\d{4}",


def from_source(source):
    return "|".join(name for name, s in SAMPLES.items() if s["source"] == source) or "(?!)"


rule simulate_sample:
    message: "Simulated survey for sample {wildcards.sample}."
    output:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
        photometry=f"{RUN}/samples/{{sample}}/photometry.parquet",
        shards=expand(f"{RUN}/raw/{{{{sample}}}}/{{shard}}.parquet", shard=SHARDS),
    log: f"{RUN}/logs/simulate_sample/{{sample}}.log",
    wildcard_constraints:
        sample=from_source("demo"),
    params:
        demo=lambda wildcards: SAMPLES[wildcards.sample]["demo"],
        seed=config["seed"],
    script: "../workflow_scripts/stages/simulate_sample.py"


rule read_sample:
    message: "Light curves of sample {wildcards.sample} from the user's files."
    input:
        light_curves=lambda wildcards: SAMPLES[wildcards.sample]["local"]["light_curves"],
        object_lists=lambda wildcards: SAMPLES[wildcards.sample]["local"]["objects"],
        photometry_lists=lambda wildcards: SAMPLES[wildcards.sample]["local"]["photometry"],
    output:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
        photometry=f"{RUN}/samples/{{sample}}/photometry.parquet",
        shards=expand(f"{RUN}/raw/{{{{sample}}}}/{{shard}}.parquet", shard=SHARDS),
    log: f"{RUN}/logs/read_sample/{{sample}}.log",
    wildcard_constraints:
        sample=from_source("local"),
    params:
        source=lambda wildcards: local_source(wildcards.sample),
    script: "../workflow_scripts/stages/read_sample.py"


def local_source(sample):
    files = ("light_curves", "objects", "photometry")
    return {key: value for key, value in SAMPLES[sample]["local"].items() if key not in files}


rule check_samples:
    message: "No object is in two samples."
    input:
        objects=expand(f"{RUN}/samples/{{sample}}/objects.parquet", sample=SAMPLES),
        light_curves=expand(f"{RUN}/raw/{{sample}}/{{shard}}.parquet", sample=SAMPLES, shard=SHARDS),
    output:
        samples=f"{RUN}/samples/samples.parquet",
    log: f"{RUN}/logs/check_samples.log",
    params:
        names=list(SAMPLES),
        roles=[s["role"] for s in SAMPLES.values()],
        n_shards=len(SHARDS),
    script: "../workflow_scripts/stages/check_samples.py"
