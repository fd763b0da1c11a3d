"""The machine: its BLAS, its kernels, its threads."""
