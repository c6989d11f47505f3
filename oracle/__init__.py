"""Watch sources, judge every release with `verifier`, and write records to the registry."""
