"""The atomic networks themselves, with their gradient, forwards and in reverse (see potential/network.py).

States are flat, (atoms, all widths) by element: activations a, slopes sigma', seconds sigma'', thirds
sigma''', b = dE/da, y = b sigma' and D = b sigma''. A part of the work is a range of slots of every element.
"""

import numpy as np

from hessbench.potential.ani.native.activations import (
    accumulate,
    activate,
    multiply,
    pull_activation,
    pull_gradient,
)
from hessbench.potential.ani.native.blas import Matrix, gemm_nn, gemm_nt, gemm_tn
from hessbench.potential.ani.native.compiler import kernel


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
        inputs, below = length, Matrix(flat, begin * length, length)
        for layer in range(depth):
            width = shape.width[e, layer]
            weight = Matrix(weights, shape.weight[e, layer], inputs)
            values = Matrix(a, base + place, total)
            gemm_nt(atoms, width, inputs, below, weight, 0.0, values)
            for atom in range(atoms):
                own = base + place + atom * total
                activate(
                    kind, order, biases[bias : bias + width], a[own : own + width], slopes[own : own + width],
                    seconds[own : own + width], thirds[own : own + width],
                )  # fmt: skip
            inputs, below = width, values
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
            width = shape.width[e, layer]
            place -= width
            for atom in range(atoms):
                own = base + atom * total + place
                multiply(b[own : own + width], slopes[own : own + width], y[own : own + width])
                if order > 1:
                    multiply(b[own : own + width], seconds[own : own + width], curvatures[own : own + width])
            inputs = length if layer == 0 else shape.width[e, layer - 1]
            weight = Matrix(weights, shape.weight[e, layer], inputs)
            target = Matrix(b, base + place - inputs, total)
            if layer == 0:
                target = Matrix(flat_gradient, begin * length, length)
            gemm_nn(atoms, inputs, width, Matrix(y, base + place, total), weight, 0.0, target)


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
            place = 0
            inputs, below = length, Matrix(flat_adjoint, begin * length, length)
            for layer in range(depth):
                width, weight = shape.width[e, layer], shape.weight[e, layer]
                pulled = Matrix(left, 0, width)
                gemm_nt(atoms, width, inputs, below, Matrix(weights, weight, inputs), 0.0, pulled)
                gemm_tn(
                    width, inputs, atoms, Matrix(y, base + place, total), below,
                    1.0, Matrix(weights_adjoint, weight, inputs),
                )  # fmt: skip
                for atom in range(atoms):
                    own = base + atom * total + place
                    pull_gradient(
                        left[atom * width : (atom + 1) * width], b[own : own + width],
                        slopes[own : own + width], seconds[own : own + width],
                        slopes_adjoint[own : own + width], curvatures_adjoint[own : own + width],
                        right[atom * width : (atom + 1) * width],
                    )  # fmt: skip
                inputs, below = width, Matrix(right, 0, width)
                place += width
            for atom in range(atoms):
                accumulate(1.0, right[atom * last : (atom + 1) * last], out_adjoint)
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
                    thirds[own : own + width], slopes_adjoint[own : own + width],
                    curvatures_adjoint[own : own + width],
                )  # fmt: skip
                accumulate(1.0, value, biases_adjoint[bias : bias + width])
            inputs = length if layer == 0 else shape.width[e, layer - 1]
            below = Matrix(a, base + place - inputs, total)
            if layer == 0:
                below = Matrix(flat, begin * length, length)
            gemm_tn(
                width, inputs, atoms, Matrix(left, 0, width), below,
                1.0, Matrix(weights_adjoint, weight, inputs),
            )  # fmt: skip
            if layer > 0:
                gemm_nn(
                    atoms, inputs, width, Matrix(left, 0, width), Matrix(weights, weight, inputs),
                    0.0, Matrix(right, 0, inputs),
                )  # fmt: skip
                for n in range(atoms * inputs):
                    left[n] = right[n]
