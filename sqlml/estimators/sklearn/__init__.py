"""Training by scikit-learn, in a child process."""
