#!/bin/bash
# Run once by the image of clickhouse-server, on an empty volume; by hand: set the variables below and run it beside the files.
set -euo pipefail
here="${AURUM_CLICKHOUSE_SQL:-/etc/aurum-clickhouse}"
# The database's administrator, as the image has made it.
admin=(clickhouse-client --user "${CLICKHOUSE_USER:-default}" --password "${CLICKHOUSE_PASSWORD:-}" --multiquery)

"${admin[@]}" --query "CREATE DATABASE IF NOT EXISTS aurum"
for file in history logs; do
    "${admin[@]}" --database aurum --queries-file "$here/$file.sql"
done
"${admin[@]}" \
    --param_reader_password "${AURUM_CLICKHOUSE_READER_PASSWORD:?}" \
    --param_writer_password "${AURUM_CLICKHOUSE_WRITER_PASSWORD:?}" \
    --param_vector_password "${AURUM_CLICKHOUSE_VECTOR_PASSWORD:?}" \
    --param_operator_password "${AURUM_CLICKHOUSE_OPERATOR_PASSWORD:?}" \
    --queries-file "$here/users.sql"
