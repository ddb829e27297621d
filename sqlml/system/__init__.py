"""The operating system: processes, limits, temporary folders, and the files that a statement may name."""
