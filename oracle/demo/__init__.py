"""The demo: take one release from packing to a gate, on an embedded chain and with simulated hardware."""
