"""A fork server: a process that has imported what its children need, and forks a child for each piece of work.

A child costs a few milliseconds instead of the second of the imports, and its crash ends nothing else. ``server`` is the side
of the fork server, ``limits`` what a child sets for itself before it begins.
"""
