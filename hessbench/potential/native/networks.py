"""The atomic networks themselves, with their gradient, forwards and in reverse (see potential/network.py).

States are flat, (atoms, all widths) by element: activations a, slopes sigma', seconds sigma'',
thirds sigma''',
b = dE/da, y = b sigma' and D = b sigma''. A part of the work is a range of slots of every element.
"""

import math

import numpy as np

from hessbench.potential.architecture import CELU_ALPHA
from hessbench.potential.native.blas import gemm
from hessbench.potential.native.compiler import inner_kernel, kernel

GELU, CELU = 0, 1


@kernel
def run(
    ranges, order, kind, first_slot, shape, state_start, features, weights, biases,
    a, slopes, seconds, thirds, b, y, curvatures, energies, gradient,
):  # fmt: skip
    """Energies (A,) by slot; from order 1 gradient (A, F); in order 2 the curvatures D.

    Parameters
    ----------
    ranges
        (E, 2) slots.
    order, kind
        0, 1 or 2; GELU or CELU.
    first_slot, state_start
        (E,) first slot and first state of each element.
    weights, biases
        Flat, laid out by `Shape`.
    """
    length = features.shape[1]
    flat, flat_gradient = features.reshape(-1), gradient.reshape(-1)
    for e in range(len(ranges)):
        begin, atoms = ranges[e, 0], ranges[e, 1] - ranges[e, 0]
        if atoms <= 0:
            continue
        total, depth = shape.total[e], shape.depth[e]
        base = state_start[e] + (begin - first_slot[e]) * total
        place = 0
        bias = shape.bias[e]
        for layer in range(depth):
            width, weight = shape.width[e, layer], shape.weight[e, layer]
            at = base + place
            if layer == 0:
                gemm(
                    0,
                    1,
                    atoms,
                    width,
                    length,
                    flat,
                    begin * length,
                    length,
                    weights,
                    weight,
                    length,
                    0.0,
                    a,
                    at,
                    total,
                )
            else:
                inputs = shape.width[e, layer - 1]
                gemm(
                    0,
                    1,
                    atoms,
                    width,
                    inputs,
                    a,
                    at - inputs,
                    total,
                    weights,
                    weight,
                    inputs,
                    0.0,
                    a,
                    at,
                    total,
                )
            for atom in range(atoms):
                own = at + atom * total
                activate(
                    kind, order, biases[bias : bias + width], a[own : own + width], slopes[own : own + width],
                    seconds[own : own + width], thirds[own : own + width],
                )  # fmt: skip
            place += width
            bias += width
        last = shape.width[e, depth - 1]
        out = weights[shape.out[e] : shape.out[e] + last]
        for atom in range(atoms):
            own = base + (atom + 1) * total - last
            value = a[own : own + last]
            energy = 0.0
            for n in range(last):
                energy += value[n] * out[n]
            energies[begin + atom] = energy + biases[bias]
        if order == 0:
            continue
        for atom in range(atoms):
            own = base + (atom + 1) * total - last
            b[own : own + last] = out
        for layer in range(depth - 1, -1, -1):
            width, weight = shape.width[e, layer], shape.weight[e, layer]
            place -= width
            for atom in range(atoms):
                own = base + atom * total + place
                multiply(b[own : own + width], slopes[own : own + width], y[own : own + width])
                if order > 1:
                    multiply(b[own : own + width], seconds[own : own + width], curvatures[own : own + width])
            at = base + place
            if layer == 0:
                gemm(
                    0, 0, atoms, length, width, y, at, total, weights, weight, length,
                    0.0, flat_gradient, begin * length, length,
                )  # fmt: skip
            else:
                inputs = shape.width[e, layer - 1]
                gemm(
                    0,
                    0,
                    atoms,
                    inputs,
                    width,
                    y,
                    at,
                    total,
                    weights,
                    weight,
                    inputs,
                    0.0,
                    b,
                    at - inputs,
                    total,
                )


@kernel
def run_reverse(
    ranges, order, first_slot, shape, state_start, features, weights, a, slopes, seconds, thirds, b, y,
    energies_adjoint, gradient_adjoint, slopes_adjoint, curvatures_adjoint, weights_adjoint, biases_adjoint,
):  # fmt: skip
    """Adjoint of `run`: adds to the adjoints of weights and biases.

    slopes_adjoint and curvatures_adjoint hold what the Hessian asks for; both are overwritten.
    """
    length = features.shape[1]
    flat, flat_adjoint = features.reshape(-1), gradient_adjoint.reshape(-1)
    most = 0
    for e in range(len(ranges)):
        most = max(most, (ranges[e, 1] - ranges[e, 0]) * shape.width[e].max())
    left, right = np.empty(most, slopes.dtype), np.empty(most, slopes.dtype)
    for e in range(len(ranges)):
        begin, atoms = ranges[e, 0], ranges[e, 1] - ranges[e, 0]
        if atoms <= 0:
            continue
        total, depth = shape.total[e], shape.depth[e]
        base = state_start[e] + (begin - first_slot[e]) * total
        last = shape.width[e, depth - 1]
        out = weights[shape.out[e] : shape.out[e] + last]
        out_adjoint = weights_adjoint[shape.out[e] : shape.out[e] + last]
        if order > 0:
            width, weight = shape.width[e, 0], shape.weight[e, 0]
            gemm(
                0, 1, atoms, width, length, flat_adjoint, begin * length, length, weights, weight, length,
                0.0, left, 0, width,
            )  # fmt: skip
            gemm(
                1, 0, width, length, atoms, y, base, total, flat_adjoint, begin * length, length,
                1.0, weights_adjoint, weight, length,
            )  # fmt: skip
            place = 0
            for layer in range(depth):
                width = shape.width[e, layer]
                for atom in range(atoms):
                    own = base + atom * total + place
                    pull_gradient(
                        left[atom * width : (atom + 1) * width], b[own : own + width],
                        slopes[own : own + width],
                        seconds[own : own + width], slopes_adjoint[own : own + width],
                        curvatures_adjoint[own : own + width], right[atom * width : (atom + 1) * width],
                    )  # fmt: skip
                if layer + 1 < depth:
                    above, weight, at = (
                        shape.width[e, layer + 1],
                        shape.weight[e, layer + 1],
                        base + place + width,
                    )
                    gemm(
                        1,
                        0,
                        above,
                        width,
                        atoms,
                        y,
                        at,
                        total,
                        right,
                        0,
                        width,
                        1.0,
                        weights_adjoint,
                        weight,
                        width,
                    )
                    gemm(
                        0,
                        1,
                        atoms,
                        above,
                        width,
                        right,
                        0,
                        width,
                        weights,
                        weight,
                        width,
                        0.0,
                        left,
                        0,
                        above,
                    )
                else:
                    for atom in range(atoms):
                        accumulate(1.0, right[atom * width : (atom + 1) * width], out_adjoint)
                place += width
        bias = shape.bias[e] + total
        for atom in range(atoms):
            own = base + (atom + 1) * total - last
            factor = energies_adjoint[begin + atom]
            accumulate(factor, a[own : own + last], out_adjoint)
            biases_adjoint[bias] += factor
            target = left[atom * last : (atom + 1) * last]
            for n in range(last):
                target[n] = factor * out[n]
        place = total
        for layer in range(depth - 1, -1, -1):
            width, weight = shape.width[e, layer], shape.weight[e, layer]
            place -= width
            bias -= width
            for atom in range(atoms):
                own = base + atom * total + place
                value = left[atom * width : (atom + 1) * width]
                pull_activation(
                    order, value, slopes[own : own + width], seconds[own : own + width],
                    thirds[own : own + width],
                    slopes_adjoint[own : own + width], curvatures_adjoint[own : own + width],
                )  # fmt: skip
                accumulate(1.0, value, biases_adjoint[bias : bias + width])
            if layer == 0:
                gemm(
                    1, 0, width, length, atoms, left, 0, width, flat, begin * length, length,
                    1.0, weights_adjoint, weight, length,
                )  # fmt: skip
                continue
            inputs, at = shape.width[e, layer - 1], base + place - shape.width[e, layer - 1]
            gemm(
                1, 0, width, inputs, atoms, left, 0, width, a, at, total, 1.0, weights_adjoint, weight, inputs
            )
            gemm(0, 0, atoms, inputs, width, left, 0, width, weights, weight, inputs, 0.0, right, 0, inputs)
            for n in range(atoms * inputs):
                left[n] = right[n]


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
