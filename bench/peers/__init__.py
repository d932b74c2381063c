"""Other people's products beside ours, each in an environment of its own."""
