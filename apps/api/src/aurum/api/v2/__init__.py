"""Version 2 of the HTTP interface: a folder a slice."""
