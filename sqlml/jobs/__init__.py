"""Plain values that both `estimators` and `export` use: the request to a library and its result.

job           a training job, and the fitted model
preparation   the learned preparation of features
ties          the tie-breaking rule of nearest neighbours
"""
