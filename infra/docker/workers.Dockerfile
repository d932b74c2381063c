# aurum-workers: dependencies from the lock (names, versions, hashes), then this member and the members it depends on.
FROM python:3.11-slim-bookworm AS build
RUN python -m pip install --no-cache-dir uv
WORKDIR /src
# What else is installed: --build-arg EXTRAS="--extra trino" for history in Iceberg.
ARG EXTRAS=""
COPY pyproject.toml uv.lock ./
COPY apps apps
COPY libs libs
RUN uv venv /opt/aurum \
 && uv export --quiet --frozen --no-header --package aurum-workers --no-dev $EXTRAS --no-emit-workspace -o /tmp/requirements.txt \
 && uv export --quiet --frozen --no-header --package aurum-pipelines --extra dbt --no-dev --no-emit-workspace -o /tmp/dbt.txt \
 && VIRTUAL_ENV=/opt/aurum uv pip sync --require-hashes /tmp/requirements.txt /tmp/dbt.txt \
 && VIRTUAL_ENV=/opt/aurum uv pip install --no-deps ./libs/core ./libs/common ./libs/charts ./libs/storage ./libs/services ./libs/pipelines ./libs/assembly ./apps/workers

FROM python:3.11-slim-bookworm
# Volumes that are mounted there belong to the user of the process.
RUN useradd --system --uid 10001 --create-home aurum \
 && install -d -o aurum -g aurum /var/lib/aurum /var/lib/aurum/history
COPY --from=build /opt/aurum /opt/aurum
COPY contracts /opt/contracts
COPY libs/pipelines/dbt /opt/dbt
ENV PATH=/opt/aurum/bin:$PATH AURUM_CONTRACTS_DIR=/opt/contracts AURUM_DBT__PROJECT_DIR=/opt/dbt AURUM_LOGGING__FORMAT=json PYTHONUNBUFFERED=1
USER aurum
WORKDIR /home/aurum
ENTRYPOINT ["python", "-m", "aurum.workers"]
