"""Downloads published files over HTTP into a folder."""
