#!/bin/bash
# The clickhouse-server image runs this once, on an empty volume. To run it by hand, set the variables below and start it in this folder.
set -euo pipefail
here="${AURUM_CLICKHOUSE_SQL:-/etc/aurum-clickhouse}"
# The administrator of the database, which the image creates.
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
