"""How a version lies in MLflow: the files in its run's artifacts and the tags on the version."""

# Which model a run is for.
MODEL = "sqlml.model"
FOLDER, GRAPH, DOCUMENT = "model", "model.onnx", "sqlml.json"
# The SHA-256 of the two files; what does not match them is not read.
DIGEST, DOCUMENT_DIGEST = "sqlml.digest", "sqlml.document"
# What a list of models shows without opening a document.
ESTIMATOR, TASK, TARGET = "sqlml.estimator", "sqlml.task", "sqlml.target"
# Pictures of the model, beside its folder.
PLOTS = "plots"
# The experiment that holds the runs of all trainings.
EXPERIMENT = "sqlml"
# The one with a run for each enrichment.
ENRICHMENTS = "sqlml enrichments"
# On a run: the process that trains. On a model: the run that it was created for.
OWNER, CREATED_BY = "sqlml.owner", "sqlml.created_by"
# On a model: the names it once had.
RENAMED_FROM = "sqlml.renamed_from"


def is_own(tag: str) -> bool:
    """Whether a tag's key is one that sqlml or MLflow keep for themselves. No statement sets or removes such a tag: the
    digests are what tells a file that was registered from one that was put in its place. Databases differ in whether
    keys that differ by case are one, so case is ignored."""
    return tag.lower().startswith(("sqlml.", "mlflow."))
