"""Activations and their derivatives, forwards and in reverse, elementwise on slices."""

import math

from hessbench.potential.ani.architecture import CELU_ALPHA
from hessbench.potential.ani.native.compiler import inner_kernel

GELU, CELU = 0, 1


@inner_kernel
def activate(kind, order, bias, z, slope, second, third):
    """Overwrite z, lacking its bias, by sigma(z); also sigma' and, from order 1 and 2, the next derivatives.

    CELU's second derivative at zero is the value from the left, as in torch.
    """
    one, half = z.dtype.type(1.0), z.dtype.type(0.5)
    if kind == GELU:
        root, norm = z.dtype.type(math.sqrt(0.5)), z.dtype.type(1.0 / math.sqrt(2.0 * math.pi))
        two, four = z.dtype.type(2.0), z.dtype.type(4.0)
        for n in range(len(z)):
            x = z[n] + bias[n]
            cumulative = half * (one + math.erf(x * root))
            normal = norm * math.exp(-half * x * x)
            z[n] = x * cumulative
            slope[n] = cumulative + x * normal
            if order > 0:
                second[n] = normal * (two - x * x)
            if order > 1:
                third[n] = normal * x * (x * x - four)
        return
    alpha, inverse, zero = z.dtype.type(CELU_ALPHA), z.dtype.type(1.0 / CELU_ALPHA), z.dtype.type(0.0)
    for n in range(len(z)):
        x = z[n] + bias[n]
        if x > zero:
            z[n], slope[n], second[n], third[n] = x, one, zero, zero
            continue
        value = math.exp(x * inverse)
        z[n], slope[n] = alpha * (value - one), value
        second[n], third[n] = value * inverse, value * inverse * inverse


@inner_kernel
def pull_gradient(y_adjoint, b, slope, second, slope_adjoint, curvature_adjoint, b_adjoint):
    """Adjoint of y = b sigma', D = b sigma''; curvature_adjoint becomes the adjoint of sigma''."""
    for n in range(len(b)):
        b_adjoint[n] = y_adjoint[n] * slope[n] + curvature_adjoint[n] * second[n]
        slope_adjoint[n] += y_adjoint[n] * b[n]
        curvature_adjoint[n] *= b[n]


@inner_kernel
def pull_activation(order, value, slope, second, third, slope_adjoint, second_adjoint):
    """From the adjoint of sigma(z), in `value`, to that of z."""
    if order == 0:
        for n in range(len(value)):
            value[n] *= slope[n]
        return
    if order == 1:
        for n in range(len(value)):
            value[n] = value[n] * slope[n] + slope_adjoint[n] * second[n]
        return
    for n in range(len(value)):
        value[n] = value[n] * slope[n] + slope_adjoint[n] * second[n] + second_adjoint[n] * third[n]


@inner_kernel
def multiply(left, right, result):
    """Elementwise product."""
    for n in range(len(result)):
        result[n] = left[n] * right[n]


@inner_kernel
def accumulate(factor, values, total):
    """Add factor x values to total."""
    weight = total.dtype.type(factor)
    for n in range(len(total)):
        total[n] += weight * values[n]
