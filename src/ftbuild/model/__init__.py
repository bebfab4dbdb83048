"""Pure data: versions and requests, recipes, build specs, manifests, reports, events.

Nothing here touches the file system, the network, a process or the clock. Every type is frozen;
everything that can be derived is a property rather than a field.
"""
