"""One rule for rows that are equally near, which a fit and its graph share.

Equal distances differ in their last bits by the order of summation, so squared distances are rounded before they are
compared, and of equal ones the row that comes first is taken.
"""

# Squared distances are told apart in steps of 2⁻³⁰.
STEPS = 2.0**30
