"""Where the numbers are kept: ports in domain terms, adapters behind them.

ports       Protocols, by role; their docstrings are the contract
postgres    everything on plain PostgreSQL
clickhouse  closed months once more, for scans over thousands of series
memory      the same ports in dictionaries: passes the same contract suite
embedded    PostgreSQL and Valkey out of Python wheels, for one machine
migrations  Alembic
testing     pytest plugin: servers, databases

To add an adapter: make a folder named after the technology, translate its errors in ``errors.py``, implement the ports it
can, name it in ``tests/typing/conformance.py``, and run it through ``tests/contract``.
"""
