# From raw light curves to clean ones, and from those to features.


rule clean:
    message:
        "Cleaning of the light curves of {wildcards.sample}, shard {wildcards.shard}."
    input:
        raw=f"{RUN}/raw/{{sample}}/{{shard}}.parquet",
    output:
        light_curves=f"{RUN}/light_curves/{{sample}}/{{shard}}.parquet",
        cleaning=f"{RUN}/cleaning/{{sample}}/{{shard}}.parquet",
    log:
        f"{RUN}/logs/clean/{{sample}}/{{shard}}.log",
    params:
        cuts=config["cleaning"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/clean.py"


rule features:
    message:
        "Period and features of the light curves of {wildcards.sample}, shard {wildcards.shard}."
    input:
        light_curves=rules.clean.output.light_curves,
        photometry=f"{RUN}/samples/{{sample}}/photometry.parquet",
    output:
        features=f"{RUN}/features/{{sample}}/{{shard}}.parquet",
    log:
        f"{RUN}/logs/features/{{sample}}/{{shard}}.log",
    params:
        search=config["period"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/features.py"
