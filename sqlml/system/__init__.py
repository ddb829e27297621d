"""The operating system, as the driver and its processes meet it.

process         which process something belongs to, and whether that lives
limits, memory  what this process may take and what it has
temporary       folders that are gone when their block ends
allowed_paths   the files that a statement may name
file_export     a file or folder written whole or not at all
"""
