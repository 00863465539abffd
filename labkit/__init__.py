"""A guided lab on JWT authorizers of Amazon API Gateway HTTP APIs."""
