"""Real servers, stores and builders for tests. No product module imports this package."""
