"""Training by LightGBM and XGBoost: their rows of the ESTIMATORS table, and their own needs."""
