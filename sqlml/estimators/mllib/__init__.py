"""Training by Spark MLlib, on the cluster."""
