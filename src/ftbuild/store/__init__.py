"""Door 3: the only writer of installed prefixes, their names and their launchers.

`layout` knows the paths below a root; `locks` keeps two runs out of each other's way; `prefixes`
puts a build in place, records it and removes it; `links` gives it its names; `listing` reads what
is installed; `work` keeps the scratch directories of runs and clears up after killed ones.
"""
