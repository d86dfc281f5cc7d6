"""First layers packed like the Jacobian: for each pair of elements only the columns its rows can touch."""

from hessbench.potential.ani.native.compiler import inner_kernel, kernel


@kernel
def gather_first(
    set_elements, radial, angular, pair_of, width, weight, features, first_start, weights, packed
):
    """Copy the columns of every set of elements and pair of elements.

    Parameters
    ----------
    set_elements, first_start
        As in `Layout` and of (sets, E, E), the place of each block in `packed`.
    radial, angular
        Number of radial features of an element, of angular features of a pair.
    width, weight
        (E,) units of each first layer and its place in `weights`.
    features
        Length of the descriptors.
    """
    elements = len(pair_of)
    for index in range(len(set_elements)):
        for e in range(elements):
            for t in range(elements):
                if set_elements[index, e] < 0 or set_elements[index, t] < 0:
                    continue
                place = first_start[index, e, t]
                for unit in range(width[e]):
                    row = weight[e] + unit * features
                    copy(weights, row + t * radial, packed, place, radial)
                    place += radial
                    for other in range(elements):
                        if set_elements[index, other] >= 0:
                            copy(
                                weights,
                                row + elements * radial + pair_of[t, other] * angular,
                                packed,
                                place,
                                angular,
                            )
                            place += angular


@kernel
def scatter_first(
    set_elements, radial, angular, pair_of, width, weight, features, first_start, weights, packed
):
    """Adjoint of `gather_first`: add packed gradients to those of the whole layers."""
    elements = len(pair_of)
    for index in range(len(set_elements)):
        for e in range(elements):
            for t in range(elements):
                if set_elements[index, e] < 0 or set_elements[index, t] < 0:
                    continue
                place = first_start[index, e, t]
                for unit in range(width[e]):
                    row = weight[e] + unit * features
                    add(packed, place, weights, row + t * radial, radial)
                    place += radial
                    for other in range(elements):
                        if set_elements[index, other] >= 0:
                            add(
                                packed,
                                place,
                                weights,
                                row + elements * radial + pair_of[t, other] * angular,
                                angular,
                            )
                            place += angular


@inner_kernel
def copy(source, at, target, to, length):
    """Copy `length` numbers."""
    a, b = source[at : at + length], target[to : to + length]
    for n in range(length):
        b[n] = a[n]


@inner_kernel
def add(source, at, target, to, length):
    """Add `length` numbers."""
    a, b = source[at : at + length], target[to : to + length]
    for n in range(length):
        b[n] += a[n]
