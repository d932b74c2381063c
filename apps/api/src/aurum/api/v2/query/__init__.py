"""Several questions about observations in one request."""
