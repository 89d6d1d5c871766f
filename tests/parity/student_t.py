"""Quantiles of Student's t, for intervals of means in tables."""

# Two-sided 97.5 % quantiles where the series below is not exact to three digits.
SMALL = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
NORMAL = 1.959964


def t_975(freedom):
    """97.5 % quantile for that many degrees of freedom (Abramowitz and Stegun 26.7.5)."""
    if freedom in SMALL:
        return SMALL[freedom]
    z = NORMAL
    return (z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3))
