"""The contract as the OpenAPI document describes it: parameters, documents, headers, responses, permissions."""
