"""Digests of files, data sets and weights in memory. One hash tree serves files, dm-verity disks and weights."""
