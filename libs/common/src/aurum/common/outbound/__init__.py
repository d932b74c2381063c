"""HTTP requests to addresses that users name. They reach public networks only, or those that settings allow."""
