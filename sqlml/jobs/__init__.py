"""What a library is asked for and what it hands back: plain values that `estimators` and `export` share."""
