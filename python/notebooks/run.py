"""Runs the notebooks of this folder; an exception in one ends it with 1. --write keeps what they printed and drew in the files.

    python python/notebooks/run.py [--write]

Needs nbclient, ipykernel, matplotlib, and the package kern; KERN_PROGRAM names the program.
"""
import os
import pathlib
import sys

import nbclient
import nbformat

os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
if "KERN_PROGRAM" in os.environ:
    os.environ["KERN_PROGRAM"] = os.path.abspath(os.environ["KERN_PROGRAM"])
LARGEST = 200_000  # bytes of a notebook with its outputs

for path in sorted(pathlib.Path(__file__).parent.glob("*.ipynb")):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    figures = sum("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times
    notebook.metadata["language_info"] = {"name": "python"}  # and not which Python it was
    text = nbformat.writes(notebook) + "\n"
    if figures == 0:
        sys.exit(f"{path.name} drew nothing")
    if len(text) > LARGEST:
        sys.exit(f"{path.name} has {len(text)} bytes with its outputs, {LARGEST} are allowed: make its figures smaller")
    if "--write" in sys.argv:
        path.write_text(text)
    print(f"{path.name}: ran, {figures} figures, {len(text)} bytes")
