"""How a version lies in MLflow: the files in its run's artifacts and the tags on the version."""

# MLflow's experiment of what is trained here.
EXPERIMENT = "sqlml"
FOLDER, GRAPH, DOCUMENT = "model", "model.onnx", "sqlml.json"
# The SHA-256 of the two files; what does not match them is not read.
DIGEST, DOCUMENT_DIGEST = "sqlml.digest", "sqlml.document"
# What a list of models shows without opening a document.
ESTIMATOR, TASK, TARGET = "sqlml.estimator", "sqlml.task", "sqlml.target"
# Pictures of the model, beside its folder.
PLOTS = "plots"
