"""Runs a notebook in this environment's kernel and prints what its cells answered."""

import json
import sys

import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
answers = [output.get("data", {}).get("text/plain") for cell in notebook.cells for output in cell.get("outputs", [])]
json.dump(answers, sys.stdout)
