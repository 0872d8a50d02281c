"""The REST API at `/api/v1/`. One module per resource; `conventions` holds what all views share: problem details,
pagination, ETags, idempotency keys, rate limits, the OpenAPI schema."""
