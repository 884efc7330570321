"""A stand-in for Triton on arrays of numpy: kernels run program by program, and no compiler is needed."""
