"""Hooks for libraries that load models, so that no weight is used before it is compared with the release."""
