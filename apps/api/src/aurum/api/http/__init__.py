"""Parts that layers and handlers share: the state of a request, problem documents, framing, headers, classes of data."""
