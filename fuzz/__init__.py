"""A fuzzer of the file formats and of the HTTP server: it damages inputs, and reports what fails on them."""
