"""A project's dependencies against an installed free-threaded build."""
