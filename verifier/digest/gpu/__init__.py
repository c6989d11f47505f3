"""The fs-verity tree on NVIDIA GPUs: the kernels of `tree.cu` and the device that runs them."""
