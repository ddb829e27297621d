"""The layout of a version in MLflow: the names of its files, tags and experiments."""

# On a run: the name of its model.
MODEL = "sqlml.model"
FOLDER, GRAPH, DOCUMENT = "model", "model.onnx", "sqlml.json"
# The SHA-256 of the two files; a file that does not match is not used.
DIGEST, DOCUMENT_DIGEST = "sqlml.digest", "sqlml.document"
# Copied from the document, so that a list of models needs no file.
ESTIMATOR, TASK, TARGET = "sqlml.estimator", "sqlml.task", "sqlml.target"
# The artifact folder of plots, beside the model's.
PLOTS = "plots"
# The experiment of all training runs.
EXPERIMENT = "sqlml"
# The experiment with one run per enrichment.
ENRICHMENTS = "sqlml enrichments"
# On a run: the training process, and a value that it renews while it trains. On a model: the run that created it.
OWNER, LEASE, CREATED_BY = "sqlml.owner", "sqlml.lease", "sqlml.created_by"
# On a run: why it failed.
ERROR = "sqlml.error"
# On a model: its former names.
RENAMED_FROM = "sqlml.renamed_from"


def is_own(tag: str) -> bool:
    """Whether a tag's key is reserved for sqlml or MLflow. No statement sets or removes such a tag, because the digests
    prove that a file is the registered one. Some databases compare keys case-insensitively, so case is ignored."""
    return tag.lower().startswith(("sqlml.", "mlflow."))
