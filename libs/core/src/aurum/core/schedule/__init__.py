"""Schedules: at which instants one is due, over changes of clocks, and what becomes of instants that were missed."""
