"""The tie-breaking rule of nearest neighbours, shared by the fit and its graph.

Equal distances can differ in their last bits, depending on the order of summation. So squared distances are rounded
before they are compared, and of equal ones the row with the lowest index is taken.
"""

# Squared distances are rounded to multiples of 2⁻³⁰.
STEPS = 2.0**30
