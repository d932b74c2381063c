"""Parts that handlers share: services, paging, the actor of a request, feature flags, health checks."""
