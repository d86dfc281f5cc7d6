"""Matrix products inside compiled kernels: scipy's BLAS, called by address.

scipy publishes the addresses of its BLAS routines (scipy.linalg.cython_blas). They are registered here
as symbols, so kernels that call them can be cached on disk.
"""

from typing import Any, NamedTuple

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from hessbench.potential.ani.native.compiler import inner_kernel
from hessbench.potential.ani.native.layout import Floats

_SYMBOLS = {types.float32: "hessbench_sgemm", types.float64: "hessbench_dgemm"}

for _type, _symbol in _SYMBOLS.items():
    _routine = _symbol.removeprefix("hessbench_")
    llvmlite.binding.add_symbol(_symbol, get_cython_function_address("scipy.linalg.cython_blas", _routine))


class Matrix(NamedTuple):
    """A row-major matrix within a flat array."""

    values: Floats
    start: int
    stride: int  # from one row to the next


@inner_kernel
def gemm_nn(m, n, k, a, b, beta, c):
    """C (m x n) = A (m x k) B (k x n) + beta C."""
    _gemm(
        0, 0, m, n, k, a.values, a.start, a.stride, b.values, b.start, b.stride,
        beta, c.values, c.start, c.stride,
    )  # fmt: skip


@inner_kernel
def gemm_nt(m, n, k, a, b, beta, c):
    """C (m x n) = A (m x k) B' (n x k) + beta C."""
    _gemm(
        0, 1, m, n, k, a.values, a.start, a.stride, b.values, b.start, b.stride,
        beta, c.values, c.start, c.stride,
    )  # fmt: skip


@inner_kernel
def gemm_tn(m, n, k, a, b, beta, c):
    """C (m x n) = A' (k x m) B (k x n) + beta C."""
    _gemm(
        1, 0, m, n, k, a.values, a.start, a.stride, b.values, b.start, b.stride,
        beta, c.values, c.start, c.stride,
    )  # fmt: skip


@intrinsic
def _gemm(
    typingctx: Any, transpose_a: Any, transpose_b: Any, m: Any, n: Any, k: Any,
    a: Any, a_offset: Any, lda: Any, b: Any, b_offset: Any, ldb: Any,
    beta: Any, c: Any, c_offset: Any, ldc: Any,
) -> Any:  # fmt: skip
    """C (m x n) = op(A) op(B) + beta C for row-major matrices that start at offsets of flat arrays.

    transpose_a, transpose_b are 0 or 1, beta is a float, ld* the distances between rows; all three arrays
    are contiguous, one-dimensional and of one floating point type.
    """
    scalar = a.dtype
    symbol = _SYMBOLS[scalar]
    signature = types.void(
        types.int64, types.int64, types.int64, types.int64, types.int64,
        a, types.int64, types.int64, b, types.int64, types.int64, types.float64, c, types.int64, types.int64,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        ta, tb, m, n, k, a, a_offset, lda, b, b_offset, ldb, beta, c, c_offset, ldc = arguments
        int32, int8 = ir.IntType(32), ir.IntType(8)
        real = context.get_value_type(scalar)

        def reference(value: Any) -> Any:
            return cgutils.alloca_once_value(builder, value)

        def integer(value: Any) -> Any:
            return reference(builder.trunc(value, int32))

        def character(flag: Any) -> Any:
            transposed = builder.icmp_signed("!=", flag, ir.Constant(flag.type, 0))
            return reference(
                builder.select(transposed, ir.Constant(int8, ord("T")), ir.Constant(int8, ord("N")))
            )

        def data(position: int, value: Any, offset: Any) -> Any:
            array = context.make_array(signature.args[position])(context, builder, value)
            return builder.gep(array.data, [offset])

        if scalar == types.float32:
            beta = builder.fptrunc(beta, real)
        # BLAS is column-major: C' = op(B)' op(A)'
        values = [
            character(tb), character(ta), integer(n), integer(m), integer(k),
            reference(ir.Constant(real, 1.0)),
            data(8, b, b_offset), integer(ldb), data(5, a, a_offset), integer(lda), reference(beta),
            data(12, c, c_offset), integer(ldc),
        ]  # fmt: skip
        function_type = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        function = cgutils.get_or_insert_function(builder.module, function_type, symbol)
        builder.call(function, values)
        return context.get_dummy_value()

    return signature, generate
