"""Hands builds to other tools: what is written for them outside the root, and what is printed.

Links that pyenv and a `PATH` follow, copies in the layout of a tool cache, snippets for tox and
nox. Every name here is unambiguous: nothing of a free-threaded build answers to `3.14`.
"""
