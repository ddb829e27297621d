"""Binds the arguments of PREDICT to a model's features, and resolves the outputs that a call asks for."""
