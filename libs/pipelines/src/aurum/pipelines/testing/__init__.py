"""Support for tests of sources."""
