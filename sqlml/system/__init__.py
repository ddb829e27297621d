"""The operating system's side: processes, memory, temporary folders and access to files.

process         marks that identify a process, and whether it is alive
limits, memory  resource limits and memory of this process
temporary       temporary folders that are always removed in the end
allowed_paths   the allow-list of files that a statement may name
file_export     atomic export of files and folders
"""
