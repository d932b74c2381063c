"""Parts of every service that know nothing of the domain: settings, logging, the clock, signed cursors.

Imports no other member.
"""
