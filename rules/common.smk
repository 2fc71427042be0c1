# Shared by all rule files. Names of samples, shards, models and folders, and the files that belong to them.

from workflow_scripts import assumptions, fingerprint, input_files, provenance
from workflow_scripts.surveys import registry

SAMPLES = config["samples"]
SHARDS = {name: [f"{i:04d}" for i in range(s.get("shards", config["shards"]))] for name, s in SAMPLES.items()}
LABELLED = [name for name, s in SAMPLES.items() if s["role"] == "labelled"]
SCIENCE = [name for name, s in SAMPLES.items() if s["role"] == "science"]
CONSTANT = [name for name, s in SAMPLES.items() if s["role"] == "constant"]
CLASSIFIED = LABELLED + SCIENCE
VERIFIED = SCIENCE if config["references"] else []
ON_GPU = config["period"]["device"] == "gpu"

LOCAL_FILES = ("light_curves", "objects", "photometry")

# Samples whose light curves come from a survey's archive, those from a HATS collection, and the catalogues that are
# downloaded, by name.
ARCHIVED = [name for name, s in SAMPLES.items() if "archive" in s]
COLLECTED = [name for name, s in SAMPLES.items() if s["source"] == "hats"]
LABELLED_BY_TWO = [name for name in ARCHIVED if len(SAMPLES[name]["archive"]["objects"]) == 2]
DOWNLOADS = f"{RUN}/downloads"
DUST_MAPS = input_files.dust_maps(config)

TRAINING = config["training"]
FIT_SETTINGS = {key: TRAINING[key] for key in ("rounds", "learning_rate", "trees")}
# One star (make classify) is searched as those of the run are.
SEARCH = config["period"] | {"bootstrap_seed": config["seed"]}
BOOSTERS = ["lightgbm", "xgboost"]
FOLDS = [f"fold{k}" for k in range(TRAINING["folds"])]
COMPARED = expand("{model}-{data}", model=TRAINING["compare"], data=["original", "smote", "weighted"])
PUBLISHED = expand("{model}-{data}", model=BOOSTERS, data=TRAINING["data"])
MODELS = f"{RUN}/models"
EVALUATION = f"{RUN}/evaluation"

# REGIONS of the branch of open clusters; it is off where there are none.
CLUSTERS = config["clusters"]
REGIONS = CLUSTERS["regions"]
CLUSTERS_ON_GPU = CLUSTERS["dec"]["device"] == "gpu"

# Branches of this run, what goes into each, and the settings that its final tables record.
BRANCHES = [branch for branch, parts in (("catalogue", SAMPLES), ("clusters", REGIONS)) if parts]
INPUTS = {branch: input_files.inputs(config, branch) for branch in BRANCHES}
FROM_USER = set(input_files.from_user(config))
RECORDED = provenance.recorded(config)
LOCK = provenance.lock()


wildcard_constraints:
    region="[A-Za-z0-9_]+",
    sample="[A-Za-z0-9_]+",
    catalogue="[A-Za-z0-9_]+",
    branch="catalogue|clusters",
    shard=r"\d+",


def one_of(names):
    return "|".join(names) or "(?!)"


# The files of a pattern with {sample} and {shard}: sample by sample, all shards of each.
def sharded(pattern, samples):
    return [path for name in samples for path in expand(pattern, sample=name, shard=SHARDS[name])]


# What one job reads as a whole is one file with the shards in its row groups: a rule with thousands of outputs takes
# Snakemake hours to plan.
def raw(sample):
    whole = SAMPLES[sample]["source"] in ("demo", "local")
    return f"{RUN}/raw/{{sample}}.parquet" if whole else f"{RUN}/raw/{{sample}}/{{shard}}.parquet"


def raw_files(samples):
    return [path for name in samples for path in dict.fromkeys(sharded(raw(name), [name]))]


def from_source(source):
    return one_of([name for name, s in SAMPLES.items() if s["source"] == source])


# What comes from a survey depends on the survey's file, not on those of all others.
def plugin(survey):
    return fingerprint.code(f"surveys.plugins.{survey}")


# A function: all files of the package are read, once a report is asked for.
def assumed(wildcards):
    return assumptions.digest(provenance.ROOT)


def catalogue(name):
    return config["catalogues"].get(name, {"survey": name, "where": ""})


def archive(sample):
    return SAMPLES[sample]["archive"]


# What is asked for a sample of an archive or a collection.
def asked(sample):
    return SAMPLES[sample]["hats"] if sample in COLLECTED else archive(sample)


# Who was asked is part of what a table says of itself.
def survey_title(sample):
    title = registry.load(SAMPLES[sample]["source"]).title
    return f"{title}, through mirrors" if config["mirrors"] else title


# Positions of a sample's objects are those of its first catalogue.
def epoch_yr(sample):
    first = next(iter(input_files.catalogues(SAMPLES[sample])))
    return registry.load(catalogue(first)["survey"]).catalogue.epoch_yr


def hats_source(sample):
    return {key: value for key, value in SAMPLES[sample]["hats"].items() if key not in ("objects", "counterparts")}


def local_source(sample):
    return {key: value for key, value in SAMPLES[sample]["local"].items() if key not in LOCAL_FILES}


def local_files(sample):
    return [path for kind in LOCAL_FILES for path in SAMPLES[sample]["local"][kind]]


# Snakemake sees only inputs that are newer than what was made of them: with the stamp among its params a rule also runs
# again where a file of the user was replaced by an older one (cp -p, rsync -a, mv). Files that rules make are always
# newer, and those of a first run do not exist yet when it is planned.
def stamp(paths):
    return input_files.stamps(path for path in paths if path in FROM_USER)


def fold_probabilities(model):
    return expand(f"{MODELS}/{{fold}}/{model}-{TRAINING['data']}.parquet", fold=FOLDS)


def predicted_files(samples, model):
    return sharded(f"{RUN}/predictions/{{sample}}/{model}/{{shard}}.parquet", samples)


# Labelled objects are classified by the fold models that never saw them, science objects by the final models.
def predictions(model):
    def files(wildcards):
        if wildcards.sample in LABELLED:
            return fold_probabilities(model)
        return predicted_files([wildcards.sample], model)

    return files


def regions_from(*sources):
    return one_of([name for name, region in REGIONS.items() if region["source"] in sources])


def named_clusters():
    return sorted({region["cluster"] for region in REGIONS.values()} - {""})


# A region needs the catalogue of open clusters only where it names one.
def open_clusters(region):
    return [rules.select_regions.output.open_clusters] if REGIONS[region]["cluster"] else []


def member_lists(region):
    return [f"{RUN}/clusters/{region}/lists.parquet"] if REGIONS[region]["lists"] else []


def wanted_region(name):
    region = REGIONS[name]
    keys = ("source", "release", "cluster", "ra_deg", "dec_deg", "radius_deg", "radial_velocity_km_s", "locus")
    wanted = {key: region[key] for key in keys if key in region}
    archive = {"gaia_dr2": "DR2", "gaia_dr3": "DR3"}
    return wanted | {"release": archive.get(region["source"], region["release"])}
