# aurum-api: dependencies from the lock (names, versions, hashes), then this member and the members it depends on.
FROM python:3.11-slim-bookworm AS build
RUN python -m pip install --no-cache-dir uv
WORKDIR /src
# What else is installed: --build-arg EXTRAS="--extra trino" for history in Iceberg.
ARG EXTRAS=""
COPY pyproject.toml uv.lock ./
COPY apps apps
COPY libs libs
RUN uv venv /opt/aurum \
 && uv export --quiet --frozen --no-header --package aurum-api --no-dev $EXTRAS --no-emit-workspace -o /tmp/requirements.txt \
 && VIRTUAL_ENV=/opt/aurum uv pip sync --require-hashes /tmp/requirements.txt \
 && VIRTUAL_ENV=/opt/aurum uv pip install --no-deps ./libs/core ./libs/common ./libs/charts ./libs/storage ./libs/services ./libs/assembly ./apps/api

FROM python:3.11-slim-bookworm
# A volume that is mounted there belongs to the user of the process.
RUN useradd --system --uid 10001 --create-home aurum && install -d -o aurum /var/lib/aurum/history
COPY --from=build /opt/aurum /opt/aurum
COPY contracts /opt/contracts
COPY docs/guides /opt/guides
ENV PATH=/opt/aurum/bin:$PATH AURUM_CONTRACTS_DIR=/opt/contracts AURUM_GUIDES_DIR=/opt/guides \
    AURUM_ACCESS__MODE=required AURUM_LOGGING__FORMAT=json PYTHONUNBUFFERED=1
USER aurum
WORKDIR /home/aurum
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/ready', timeout=2)"]
ENTRYPOINT ["python", "-m", "aurum.api"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
