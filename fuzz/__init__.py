"""A fuzzer of file formats and of the HTTP protocol: damaged inputs without end, and a service that must live."""
