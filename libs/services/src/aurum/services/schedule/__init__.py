"""The schedule: submits jobs at their times, and shows and changes when that is."""
