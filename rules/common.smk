# Shared by all rule files. Names of samples, shards, models and folders, and the files that belong to them.

SAMPLES = config["samples"]
SHARDS = [f"{i:04d}" for i in range(config["shards"])]
LABELLED = [name for name, s in SAMPLES.items() if s["role"] == "labelled"]
SCIENCE = [name for name, s in SAMPLES.items() if s["role"] == "science"]
CONSTANT = [name for name, s in SAMPLES.items() if s["role"] == "constant"]
CLASSIFIED = LABELLED + SCIENCE
ON_GPU = config["period"]["device"] == "gpu"

TRAINING = config["training"]
BOOSTERS = ["lightgbm", "xgboost"]
FOLDS = [f"fold{k}" for k in range(TRAINING["folds"])]
COMPARED = expand("{model}-{data}", model=TRAINING["compare"], data=["original", "smote", "weighted"])
PUBLISHED = expand("{model}-{data}", model=BOOSTERS, data=TRAINING["data"])
MODELS = f"{RUN}/models"
EVALUATION = f"{RUN}/evaluation"


wildcard_constraints:
    sample="[A-Za-z0-9_]+",
    shard=r"\d{4}",


def from_source(source):
    return "|".join(name for name, s in SAMPLES.items() if s["source"] == source) or "(?!)"


def local_source(sample):
    files = ("light_curves", "objects", "photometry")
    return {key: value for key, value in SAMPLES[sample]["local"].items() if key not in files}


def fold_probabilities(model):
    return expand(f"{MODELS}/{{fold}}/{model}-{TRAINING['data']}.parquet", fold=FOLDS)


# Labelled objects are classified by the fold models that never saw them, science objects by the final models.
def predictions(model):
    def files(wildcards):
        if wildcards.sample in LABELLED:
            return fold_probabilities(model)
        return expand(rules.predict.output.probabilities, sample=wildcards.sample, model=model)

    return files
