# SPDX-License-Identifier: GPL-2.0-only
"""The gate: may a kernel be accepted under latency budgets?

`budget` reads what is demanded, `evidence` takes one figure per boot out of results, `noise`
and `floors` say what is seen when nothing changed, `claim` makes pairs of boots, `estimate` and
`verdict` judge (pure functions of figures), `judge` puts them together, `live` measures, and
`output` has one file per format.

When may it say FAIL?  A head that exceeds its limit does so

1. beyond chance: one-sided Student's t on the logarithms of head by base, a boot of each with
   the same number, at 2.5 %, adjusted for the number of budgets judged (Benjamini-Hochberg) and
   for the number of looks that a measuring gate takes (Bonferroni);
2. beyond the noise floor: by more than two sets of boots of one kernel differ;
3. twice: by the same two rules, the second without adjustment for the number of budgets, in
   boots of which nothing was known when it was suspected (`evidence` says which are).

`fingerprint` says what has to be the same for any of it; a build id is not enough, and is no
verdict.

PASS needs the whole interval at or below the limit, and no single boot beyond it by more than
noise.  The rest is INCONCLUSIVE.
"""
