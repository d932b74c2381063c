"""What every layer and handler shares: the state of a request, problem documents, headers, routes."""
