"""What a library is asked for and what it hands back: plain values that `estimators` and `export` share.

job           a training, and the fitted model
preparation   how columns become numbers
ties          the rule for rows that are equally near
"""
