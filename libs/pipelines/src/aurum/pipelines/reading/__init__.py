"""The only readers of dates, ids, numbers and JSON in files. Every parser goes through them; a test compares.

A reader returns null, or says why, where a text is not certainly what the file's format says; it never guesses.
"""
