"""Training by CatBoost, LightGBM and XGBoost: their rows of the ESTIMATORS table, and the adapter of the libraries."""
