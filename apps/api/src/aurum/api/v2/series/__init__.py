"""What series there are, and the observations of one."""
