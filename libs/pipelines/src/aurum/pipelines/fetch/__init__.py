"""Published files over HTTP, to a folder."""
