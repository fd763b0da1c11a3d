def blas():
    return "OpenBLAS ?"
