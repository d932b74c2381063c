"""Calendars that curves are read with."""
