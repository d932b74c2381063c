"""The store of observations: ports in domain terms, and adapters that implement them.

ports       Protocols by role; their docstrings are the contract
postgres    every port on plain PostgreSQL
clickhouse  a copy of closed months, for scans over thousands of series
memory      every port in dictionaries; passes the same contract suite
embedded    PostgreSQL and Valkey from Python wheels, for one machine
migrations  schema migrations with Alembic
testing     pytest plugin with servers and databases

To add an adapter: make a folder named after the technology, translate its errors in ``errors.py``, implement the ports that
it supports, list it in ``tests/typing/conformance.py``, and run it through ``tests/contract``.
"""
