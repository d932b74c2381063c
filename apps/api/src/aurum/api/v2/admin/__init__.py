"""What operators do: a folder a concern."""
