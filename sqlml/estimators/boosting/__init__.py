"""Training by LightGBM and XGBoost: their rows of the ESTIMATORS table, and the adapter of the two libraries."""
