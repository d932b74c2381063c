"""What is kept, and how to forget it."""
