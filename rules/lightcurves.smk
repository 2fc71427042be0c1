# From raw light curves to clean ones, and from those to features.


rule clean:
    message:
        "Cleaning of the light curves of {wildcards.sample}, shard {wildcards.shard}."
    input:
        raw=lambda wildcards: raw(wildcards.sample),
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


rule boundary_lines:
    message:
        "Range of the autocorrelation of ordinary stars."
    input:
        labelled=lambda wildcards: sharded(rules.clean.output.light_curves, LABELLED),
        constant=lambda wildcards: sharded(rules.clean.output.light_curves, CONSTANT),
        objects=expand(f"{RUN}/samples/{{sample}}/objects.parquet", sample=LABELLED),
    output:
        lines=f"{RUN}/samples/boundary_lines.parquet",
    log:
        f"{RUN}/logs/boundary_lines.log",
    params:
        leave_out=config["boundary_lines"]["leave_out"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/boundary_lines.py"


rule features:
    message:
        "Period and features of the light curves of {wildcards.sample}, shard {wildcards.shard}."
    input:
        light_curves=rules.clean.output.light_curves,
        photometry=f"{RUN}/samples/{{sample}}/photometry.parquet",
        lines=rules.boundary_lines.output.lines,
    output:
        features=f"{RUN}/features/{{sample}}/{{shard}}.parquet",
    log:
        f"{RUN}/logs/features/{{sample}}/{{shard}}.log",
    resources:
        gpu=int(ON_GPU),
    params:
        search=SEARCH,
    conda:
        "../envs/gpu.yaml" if ON_GPU else "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/features.py"
