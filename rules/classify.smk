# From features to trained models, to calibrated probabilities, to the catalogue.

labelled_features = sharded(rules.features.output.features, LABELLED)
labelled_objects = expand(f"{RUN}/samples/{{sample}}/objects.parquet", sample=LABELLED)


wildcard_constraints:
    scheme="random|sky|fold[0-9]+",
    model="lightgbm|xgboost|forest",
    data="original|smote|weighted",


rule split:
    message:
        "Labelled objects are split at random, by sky block and into folds."
    input:
        objects=labelled_objects,
        features=labelled_features,
    output:
        split=f"{RUN}/split/split.parquet",
        labels=f"{RUN}/split/labels.parquet",
    log:
        f"{RUN}/logs/split.log",
    params:
        classes=config["classes"],
        ignore_labels=config["ignore_labels"],
        test_share=TRAINING["test_share"],
        folds=TRAINING["folds"],
        sky_blocks=TRAINING["sky_blocks"],
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/split.py"


rule train:
    message:
        "{wildcards.model} on {wildcards.data} data, split {wildcards.scheme}."
    input:
        split=rules.split.output.split,
        features=labelled_features,
    output:
        model_file=f"{MODELS}/{{scheme}}/{{model}}-{{data}}.model",
        description_file=f"{MODELS}/{{scheme}}/{{model}}-{{data}}.json",
        probabilities=f"{MODELS}/{{scheme}}/{{model}}-{{data}}.parquet",
    log:
        f"{RUN}/logs/train/{{scheme}}/{{model}}-{{data}}.log",
    threads: 1
    params:
        feature_set=config["features"],
        keep_dominant=TRAINING["keep_dominant"],
        settings=FIT_SETTINGS,
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/train.py"


rule train_final:
    message:
        "{wildcards.model} on all labelled objects, as many rounds as the folds needed."
    input:
        split=rules.split.output.split,
        features=labelled_features,
        folds=expand(f"{MODELS}/{{fold}}/{{{{model}}}}-{{{{data}}}}.json", fold=FOLDS),
    output:
        model_file=f"{MODELS}/final/{{model}}-{{data}}.model",
        description_file=f"{MODELS}/final/{{model}}-{{data}}.json",
    log:
        f"{RUN}/logs/train_final/{{model}}-{{data}}.log",
    threads: 1
    params:
        feature_set=config["features"],
        keep_dominant=TRAINING["keep_dominant"],
        settings=FIT_SETTINGS,
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/train_final.py"


rule leak_test:
    message:
        "What SMOTE before the split would pretend: a deliberate leak, for comparison only."
    input:
        split=rules.split.output.split,
        features=labelled_features,
    output:
        probabilities=f"{MODELS}/leak/lightgbm-smote.parquet",
    log:
        f"{RUN}/logs/leak_test.log",
    threads: 1
    params:
        feature_set=config["features"],
        keep_dominant=TRAINING["keep_dominant"],
        test_share=TRAINING["test_share"],
        settings=FIT_SETTINGS,
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/leak_test.py"


rule importance:
    message:
        "Gain and permutation importance of the features for {wildcards.model}."
    input:
        model_file=f"{MODELS}/random/{{model}}-{TRAINING['data']}.model",
        description_file=f"{MODELS}/random/{{model}}-{TRAINING['data']}.json",
        split=rules.split.output.split,
        features=labelled_features,
    output:
        importance=f"{EVALUATION}/importance-{{model}}.parquet",
    log:
        f"{RUN}/logs/importance/{{model}}.log",
    threads: 1
    params:
        permutations=TRAINING["permutations"],
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/importance.py"


# Every probability table that is scored, under the names that the evaluation gives it.
scored = [
    *expand(f"{MODELS}/random/{{trained}}.parquet", trained=sorted({*COMPARED, *PUBLISHED})),
    *expand(f"{MODELS}/sky/{{trained}}.parquet", trained=PUBLISHED if TRAINING["sky_blocks"] else []),
    *expand(f"{MODELS}/{{fold}}/{{trained}}.parquet", fold=FOLDS, trained=PUBLISHED),
    rules.leak_test.output.probabilities,
]


rule evaluate:
    message:
        "Scores of every model, class by class, with bootstrap intervals."
    input:
        probabilities=scored,
        split=rules.split.output.split,
    output:
        metrics=f"{EVALUATION}/metrics.parquet",
        confusion=f"{EVALUATION}/confusion.parquet",
    log:
        f"{RUN}/logs/evaluate.log",
    params:
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/evaluate.py"


rule calibrate:
    message:
        "Temperatures, priors and conformal limits from predictions of held-out folds."
    input:
        lightgbm=fold_probabilities("lightgbm"),
        xgboost=fold_probabilities("xgboost"),
        split=rules.split.output.split,
    output:
        calibration=f"{MODELS}/final/calibration.json",
        metrics=f"{EVALUATION}/calibration.parquet",
        reliability=f"{EVALUATION}/reliability.parquet",
        risk_coverage=f"{EVALUATION}/risk_coverage.parquet",
    log:
        f"{RUN}/logs/calibrate.log",
    params:
        conformal_level=config["catalogue"]["conformal_level"],
        seed=config["seed"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/calibrate.py"


rule period_rules:
    message:
        "Which period, and which multiple of it, is right for each class."
    input:
        split=rules.split.output.split,
        objects=labelled_objects,
        features=labelled_features,
        lightgbm=fold_probabilities("lightgbm"),
        xgboost=fold_probabilities("xgboost"),
    output:
        period_rules=f"{MODELS}/final/period_rules.json",
        agreement=f"{EVALUATION}/period_agreement.parquet",
        errors=f"{EVALUATION}/period_errors.parquet",
    log:
        f"{RUN}/logs/period_rules.log",
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/period_rules.py"


rule object_settings:
    message:
        "Settings that a single light curve needs to be classified like those of the run."
    input:
        record=f"{RUN}/inputs/catalogue.json",
    output:
        settings=f"{MODELS}/final/settings.json",
    log:
        f"{RUN}/logs/object_settings.log",
    params:
        cuts=config["cleaning"],
        search=SEARCH,
        data=TRAINING["data"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/object_settings.py"


rule predict:
    message:
        "Both boosters predict the classes of {wildcards.sample}, shard {wildcards.shard}."
    input:
        model_files=expand(f"{MODELS}/final/{{model}}.model", model=PUBLISHED),
        description_files=expand(f"{MODELS}/final/{{model}}.json", model=PUBLISHED),
        features=rules.features.output.features,
        distinct=rules.check_samples.output.samples,
    output:
        probabilities=expand(f"{RUN}/predictions/{{{{sample}}}}/{{model}}/{{{{shard}}}}.parquet", model=BOOSTERS),
    log:
        f"{RUN}/logs/predict/{{sample}}/{{shard}}.log",
    threads: 1
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/predict.py"


rule ensemble:
    message:
        "Both boosters agree: catalogue of {wildcards.sample}; they disagree: suspected."
    input:
        objects=f"{RUN}/samples/{{sample}}/objects.parquet",
        features=lambda wildcards: sharded(rules.features.output.features, [wildcards.sample]),
        lightgbm=predictions("lightgbm"),
        xgboost=predictions("xgboost"),
        labelled=labelled_features,
        labelled_objects=labelled_objects,
        split=rules.split.output.split,
        calibration=rules.calibrate.output.calibration,
        period_rules=rules.period_rules.output.period_rules,
        distinct=rules.check_samples.output.samples,
        record=f"{RUN}/inputs/catalogue.json",
    output:
        catalogue=f"{RUN}/catalogue/{{sample}}/catalogue.parquet",
        catalogue_fits=f"{RUN}/catalogue/{{sample}}/catalogue.fits",
        catalogue_votable=f"{RUN}/catalogue/{{sample}}/catalogue.vot",
        suspected=f"{RUN}/catalogue/{{sample}}/suspected.parquet",
        suspected_fits=f"{RUN}/catalogue/{{sample}}/suspected.fits",
        suspected_votable=f"{RUN}/catalogue/{{sample}}/suspected.vot",
        priors=f"{EVALUATION}/priors/{{sample}}.parquet",
    log:
        f"{RUN}/logs/ensemble/{{sample}}.log",
    params:
        feature_set=config["features"],
        prior=config["catalogue"]["prior"],
        outlier_share=config["catalogue"]["outlier_share"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/ensemble.py"


rule verify_catalogue:
    message:
        "Catalogue of {wildcards.sample} against published ones."
    input:
        catalogue=rules.ensemble.output.catalogue,
        references=expand(rules.download_catalogue.output.sources, catalogue=config["references"]),
        labelled=labelled_objects,
        split=rules.split.output.split,
        record=f"{RUN}/inputs/catalogue.json",
    output:
        verification=f"{EVALUATION}/verification/{{sample}}.parquet",
    log:
        f"{RUN}/logs/verify_catalogue/{{sample}}.log",
    params:
        classes=config["classes"],
        radius_arcsec=config["reference_radius_arcsec"],
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/stages/verify_catalogue.py"
