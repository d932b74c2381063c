"""What series there are."""
