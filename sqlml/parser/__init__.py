"""The language: tokens, names, values, calls. Texts in, texts for Spark's parser out."""
