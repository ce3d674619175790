# SPDX-License-Identifier: GPL-2.0-only
"""The gate: may a kernel be accepted under latency budgets?

`budget` reads what is demanded, `evidence` takes one figure per boot out of results, `noise`
says what this machine shows when nothing changed, `estimate` and `verdict` judge (pure
functions of figures), `judge` puts them together, `plan` says how many boots it takes, and
`output` has one file per format.

When may it say FAIL?  A head that exceeds its limit does so

1. beyond chance: one-sided Student's t on the logarithms of one figure per boot (Welch's,
   where two kernels are compared), at 2.5 %, adjusted for the number of budgets judged
   (Benjamini-Hochberg);
2. beyond the noise floor: by more than two sets of boots of one kernel differ;
3. twice: by the same two rules, the second without adjustment, in boots of which nothing was
   known when it was suspected (`evidence` says which are).

`fingerprint` says what has to be the same for any of it; a build id is not enough, and is no
verdict.

PASS needs the whole 95 % interval at or below the limit.  The rest is INCONCLUSIVE.
"""
