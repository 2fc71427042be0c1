# Open clusters: a region's stars, several methods on the same stars, the members and how all agree.


rule select_regions:
    message:
        "Open clusters of Dias et al. 2002 of at least 25 arcmin, and those that the run names."
    input:
        catalogue=CLUSTERS["catalogue"] or [],
    output:
        open_clusters=f"{RUN}/clusters/open_clusters.parquet",
    log:
        f"{RUN}/logs/select_regions.log",
    params:
        named=named_clusters(),
        least_diameter_arcmin=CLUSTERS["least_diameter_arcmin"],
        folder=f"{DOWNLOADS}/clusters",
        mirrors=config["mirrors"],
        pace=config["pace"],
        seed=config["seed"],
        plugin=plugin("dias_2002"),
        stamp=lambda wildcards: stamp([CLUSTERS["catalogue"]]),
    localrule: True
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/select_regions.py"


rule simulate_region:
    message:
        "Simulated region {wildcards.region}."
    output:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
        left_out=f"{RUN}/clusters/{{region}}/left_out.parquet",
        cuts=f"{RUN}/clusters/{{region}}/cuts.parquet",
    log:
        f"{RUN}/logs/simulate_region/{{region}}.log",
    wildcard_constraints:
        region=regions_from("demo"),
    params:
        wanted=lambda wildcards: wanted_region(wildcards.region),
        limits=CLUSTERS["cuts"],
        simulated=lambda wildcards: REGIONS[wildcards.region]["demo"],
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/simulate_region.py"


rule read_region:
    message:
        "Stars of region {wildcards.region} from the user's files."
    input:
        files=lambda wildcards: REGIONS[wildcards.region]["stars"],
        open_clusters=lambda wildcards: open_clusters(wildcards.region),
    output:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
        left_out=f"{RUN}/clusters/{{region}}/left_out.parquet",
        cuts=f"{RUN}/clusters/{{region}}/cuts.parquet",
    log:
        f"{RUN}/logs/read_region/{{region}}.log",
    wildcard_constraints:
        region=regions_from("local"),
    params:
        wanted=lambda wildcards: wanted_region(wildcards.region),
        limits=CLUSTERS["cuts"],
        stamp=lambda wildcards: stamp(REGIONS[wildcards.region]["stars"]),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/read_region.py"


rule download_region:
    message:
        "Stars of region {wildcards.region} from Gaia's archive."
    input:
        open_clusters=lambda wildcards: open_clusters(wildcards.region),
    output:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
        left_out=f"{RUN}/clusters/{{region}}/left_out.parquet",
        cuts=f"{RUN}/clusters/{{region}}/cuts.parquet",
    log:
        f"{RUN}/logs/download_region/{{region}}.log",
    wildcard_constraints:
        region=regions_from("gaia_dr2", "gaia_dr3"),
    params:
        wanted=lambda wildcards: wanted_region(wildcards.region),
        limits=CLUSTERS["cuts"],
        folder=f"{DOWNLOADS}/clusters/{{region}}",
        mirrors=config["mirrors"],
        pace=config["pace"],
        seed=config["seed"],
    localrule: True
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/download_region.py"


rule kmeans:
    message:
        "K-Means in region {wildcards.region}."
    input:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
    output:
        selections=f"{RUN}/clusters/{{region}}/methods/kmeans.parquet",
        notes=f"{RUN}/clusters/{{region}}/methods/kmeans_notes.parquet",
    log:
        f"{RUN}/logs/kmeans/{{region}}.log",
    threads: 1
    params:
        groups=lambda wildcards: REGIONS[wildcards.region]["groups"],
        fewest=CLUSTERS["kmeans"]["fewest"],
        most=CLUSTERS["kmeans"]["most"],
        features=CLUSTERS["features"],
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/kmeans.py"


rule dec:
    message:
        "Deep Embedded Clustering in region {wildcards.region}, consensus of {params.settings[seeds]} seeds."
    input:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
    output:
        selections=f"{RUN}/clusters/{{region}}/methods/dec.parquet",
        notes=f"{RUN}/clusters/{{region}}/methods/dec_notes.parquet",
    log:
        f"{RUN}/logs/dec/{{region}}.log",
    threads: 1
    priority: 1  # the longest jobs first
    resources:
        gpu=int(CLUSTERS_ON_GPU),
    params:
        settings=lambda wildcards: CLUSTERS["dec"] | REGIONS[wildcards.region]["dec"],
        groups=lambda wildcards: REGIONS[wildcards.region]["groups"],
        features=CLUSTERS["features"],
        seed=config["seed"],
    conda:
        "../envs/gpu.yaml" if CLUSTERS_ON_GPU else "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/dec.py"


rule baselines:
    message:
        "HDBSCAN, Gaussian mixtures and kernel density in region {wildcards.region}."
    input:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
    output:
        selections=f"{RUN}/clusters/{{region}}/methods/baselines.parquet",
        notes=f"{RUN}/clusters/{{region}}/methods/baselines_notes.parquet",
    log:
        f"{RUN}/logs/baselines/{{region}}.log",
    threads: 1
    params:
        min_cluster_size=CLUSTERS["hdbscan"]["min_cluster_size"],
        min_samples=CLUSTERS["hdbscan"]["min_samples"],
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/baselines.py"


methods = [rules.kmeans.output, rules.dec.output, rules.baselines.output]


rule membership:
    message:
        "Membership probabilities in region {wildcards.region}."
    input:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
        selections=[method.selections for method in methods],
    output:
        membership=f"{RUN}/clusters/{{region}}/membership.parquet",
    log:
        f"{RUN}/logs/membership/{{region}}.log",
    threads: 1
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/membership.py"


rule overdensities:
    message:
        "Clusters of region {wildcards.region} of which nothing is known."
    input:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
    output:
        overdensities=f"{RUN}/clusters/{{region}}/methods/blind_search.parquet",
    log:
        f"{RUN}/logs/overdensities/{{region}}.log",
    threads: 1
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/overdensities.py"


rule read_lists:
    message:
        "Published member lists of region {wildcards.region}."
    input:
        list_files=lambda wildcards: list(REGIONS[wildcards.region]["lists"].values()),
    output:
        lists=f"{RUN}/clusters/{{region}}/lists.parquet",
    log:
        f"{RUN}/logs/read_lists/{{region}}.log",
    threads: 1
    priority: 2  # looked at first: a list that cannot be used ends the run before methods have cost anything
    params:
        list_names=lambda wildcards: list(REGIONS[wildcards.region]["lists"]),
        least_probability=CLUSTERS["least_probability"],
        stamp=lambda wildcards: stamp(REGIONS[wildcards.region]["lists"].values()),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/read_lists.py"


rule summarise_cluster:
    message:
        "Members, means and comparison of methods and lists for region {wildcards.region}."
    input:
        region_file=f"{RUN}/clusters/{{region}}/region.parquet",
        stars=f"{RUN}/clusters/{{region}}/stars.parquet",
        left_out=f"{RUN}/clusters/{{region}}/left_out.parquet",
        selections=[method.selections for method in methods],
        method_notes=[method.notes for method in methods],
        membership=rules.membership.output.membership,
        searched=rules.overdensities.output.overdensities,
        lists=lambda wildcards: member_lists(wildcards.region),
        record=f"{RUN}/inputs/clusters.json",
    output:
        members=f"{RUN}/clusters/{{region}}/members.parquet",
        members_fits=f"{RUN}/clusters/{{region}}/members.fits",
        members_votable=f"{RUN}/clusters/{{region}}/members.vot",
        clusters=f"{RUN}/clusters/{{region}}/cluster.parquet",
        methods=f"{RUN}/clusters/{{region}}/methods.parquet",
        agreement=f"{RUN}/clusters/{{region}}/agreement.parquet",
        notes=f"{RUN}/clusters/{{region}}/notes.parquet",
        # Copied: what is published has the record of the run, and no setting of the run is one of the search.
        overdensities=f"{RUN}/clusters/{{region}}/overdensities.parquet",
        figure=report(f"{RUN}/clusters/{{region}}/diagrams.png", category="Open clusters", caption="report/cluster.rst"),
    log:
        f"{RUN}/logs/summarise_cluster/{{region}}.log",
    threads: 1
    params:
        list_names=lambda wildcards: list(REGIONS[wildcards.region]["lists"]),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/summarise_cluster.py"


rule cluster_report:
    message:
        "Report of the open clusters of run {config[run]}."
    input:
        region_files=expand(f"{RUN}/clusters/{{region}}/region.parquet", region=REGIONS),
        cuts=expand(f"{RUN}/clusters/{{region}}/cuts.parquet", region=REGIONS),
        clusters=expand(rules.summarise_cluster.output.clusters, region=REGIONS),
        methods=expand(rules.summarise_cluster.output.methods, region=REGIONS),
        agreement=expand(rules.summarise_cluster.output.agreement, region=REGIONS),
        notes=expand(rules.summarise_cluster.output.notes, region=REGIONS),
        overdensities=expand(rules.summarise_cluster.output.overdensities, region=REGIONS),
        figures=expand(rules.summarise_cluster.output.figure, region=REGIONS),
    output:
        report=report(f"{RUN}/clusters/report.html", category="Open clusters", caption="report/clusters.rst"),
    log:
        f"{RUN}/logs/cluster_report.log",
    params:
        run=config["run"],
        names=list(REGIONS),
        configuration={key: config[key] for key in ("run", "seed", "clusters")},
        assumed=assumed,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/cluster_report.py"
