"""From a specification to a staged installation.

`plan` says, as plain data, which commands a build takes; `jobs` is the one budget of parallel
jobs that all builds of a run share; `engine` runs plans within it and emits events; `progress`
and `evidence` read what the commands print and leave behind; `diagnose` names the likely cause of
a failure. Nothing here knows of terminals, of the store or of the network.
"""
