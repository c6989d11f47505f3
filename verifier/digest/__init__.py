"""One hash tree, three standards: files, disks, and weights in memory."""
