"""The arguments of PREDICT against a model's features, and the outputs that a call asks for."""
