"""Archives of builds: packing, the stores they are kept in, and moving a build to another prefix.

`pack` says what goes into an archive, `members` writes it and `read` opens one; `relocate` and
`bytecode` know what ties files to the prefix they were made for, `elf` what they ask of a system;
`stores` finds archives. Names and records are in `model.archive`; putting a build in place is
`provision.archives`' business.
"""
