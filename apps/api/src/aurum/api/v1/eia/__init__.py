"""``/v1/ref/eia`` and ``/v1/metadata/eia``: series and datasets of EIA."""
