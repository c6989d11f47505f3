"""Hooks for libraries that load models: the interface for users.

from provenance_oracle.loaders import from_pretrained

from_pretrained   load a release with a class of transformers, and compare the memory before it is used
register_vllm     add the load format `provenance` to vLLM, which calls this by itself
"""

from __future__ import annotations

from provenance_oracle.verifier.loaders.pretrained import Pretrained, from_pretrained
from provenance_oracle.verifier.loaders.vllm_loader import register_vllm

__all__ = ["Pretrained", "from_pretrained", "register_vllm"]
