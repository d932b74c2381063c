"""What the OpenAPI document says: parameters, documents, headers, answers, scopes."""
