"""Answers about observations over HTTP: which bytes, entity tags and cache rules they get. What is read: ``aurum.services``."""
