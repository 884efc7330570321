r"""How much of the optimum K-SEQ is sure to accept: what is promised, and the worst case in closed form.

With :math:`g(t) = 1-(1-t)^k`, so that the acceptance is :math:`g(\beta)`:

*At rho = k* the share is at least :math:`g(1/k) = 1-(1-1/k)^k`, which is above 1 - 1/e (Sun et al. 2023, the guarantee
of Algorithm 2): the optimum is at most :math:`\sum_i \min(k p_i, q_i) = k\beta(k)`, and :math:`g(\beta) \ge k\beta\,
g(1/k)` as g is concave. Equal laws attain it.

*At rho** the share is at least :math:`W_k = 1 - ((1-1/k)s)^k`, with s the root on (0, 1) of
:math:`k s^{k-1} - (k-1-(1-1/k)^k)\,s^k = 1`, and a pair of two tokens attains it. So 8/9 for two drafts, and no less
than 0.826 for any number of them.

*Proof.* Let :math:`F = g(\beta) = \rho^*\beta` be the acceptance, H the tokens with :math:`q > \rho^* p`, and
:math:`p(H) = \theta\beta`. From :math:`F = \sum_i \min(\rho^* p_i, q_i) = \rho^* p(H) + q(H^c)` follows
:math:`\theta \le 1`, and the subset formula of the optimum with :math:`A = H^c` gives

.. math:: \alpha^* \le \min\big(1,\; q(H^c) + g(p(H))\big)
          = F \min\Big(\frac{1}{g(\beta)},\; 1 + \frac{g(\theta\beta)}{g(\beta)} - \theta\Big).

The first term falls with :math:`\beta`. The second rises, for every :math:`\theta`, since
:math:`t g'(t)/g(t) = k / \sum_{j<k} (1-t)^{-j}` falls with t. Hence the minimum is largest where the first term
meets the maximum of the second over :math:`\theta`: there :math:`g'(p(H)) = \rho^*` and
:math:`F + g(p(H)) = 1 + \rho^* p(H)`. Eliminating :math:`\rho^*` and F leaves the equation of s = 1 - p(H). Two tokens
with draft probabilities (1-s, s) and target probabilities (g(1-s), 1-g(1-s)) make every inequality an equality.
"""

from __future__ import annotations

import numpy as np
import scipy  # its parts load when first used

from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts

GUARANTEE = 1.0 - np.exp(-1.0)
"""K-SEQ reaches this share of the optimum for every number of drafts (Sun et al. 2023, Theorem 2)."""


def guaranteed_share(num_drafts: int) -> float:
    """The least share of the optimum that K-SEQ accepts at rho = k, :math:`1-(1-1/k)^k`, attained by equal laws.

    Raises
    ------
    InvalidInput
        If k is not an integer >= 1.

    References
    ----------
    .. [1] Sun et al. 2023, SpecTr: Fast Speculative Decoding via Optimal Transport, arXiv 2310.15141, Theorem 2.

    Examples
    --------
    >>> guaranteed_share(2)
    0.75
    """
    return float(-np.expm1(_log_missed(one_num_drafts(num_drafts))))


def kseq_worst_share(num_drafts: int) -> float:
    """The least share of the optimum that K-SEQ accepts at rho*, :math:`W_k`, attained by :func:`kseq_worst_pair`.

    Raises
    ------
    InvalidInput
        If k is not an integer >= 1.

    Examples
    --------
    >>> from specproof import kseq_worst_share
    >>> round(kseq_worst_share(2), 4), round(kseq_worst_share(10**6), 4)
    (0.8889, 0.8264)
    """
    count = one_num_drafts(num_drafts)
    return 1.0 if count == 1 else float(-np.expm1(_log_missed(count) - _decay(count)))


def kseq_worst_pair(num_drafts: int) -> tuple[Array, Array]:
    """Draft and target of the pair, over two tokens, on which K-SEQ at rho* accepts :math:`W_k` and the optimum all.

    With one draft, where every pair has share 1, the first pair of equal laws.

    Raises
    ------
    InvalidInput
        If k is not an integer >= 1.

    Examples
    --------
    >>> from specproof import kseq_worst_pair
    >>> draft, target = kseq_worst_pair(2)
    >>> draft.round(4).tolist(), target.round(4).tolist()
    ([0.3333, 0.6667], [0.5556, 0.4444])
    """
    count = one_num_drafts(num_drafts)
    exponent = np.log(2.0) if count == 1 else _decay(count)
    head, target_head = -np.expm1(-exponent / count), -np.expm1(-exponent)
    return np.array([head, 1.0 - head]), np.array([target_head, 1.0 - target_head])


def worst_share_limit() -> float:
    r"""The limit of :math:`W_k` for many drafts, :math:`1 - 1/(ey)` with y > 1 and :math:`y - \log y = 1 + 1/e`.

    Examples
    --------
    >>> round(worst_share_limit(), 6)
    0.826363
    """
    branch = scipy.special.lambertw(-np.exp(-1.0 - np.exp(-1.0)), k=-1)
    return float(1.0 + np.exp(-1.0) / branch.real)


def _log_missed(num_drafts: int) -> float:
    """The number k log(1 - 1/k), minus infinity for one draft."""
    return float(num_drafts * np.log1p(-1.0 / num_drafts)) if num_drafts > 1 else -np.inf


def _decay(num_drafts: int) -> float:
    """-k log s of the root s: of order 1 for any k, which keeps the digits that 1 - s would lose."""
    rest = 1.0 + np.exp(_log_missed(num_drafts))

    def excess(decay: float) -> float:
        head = -np.expm1(-decay / num_drafts)
        return float(num_drafts * head * np.exp(decay / num_drafts - decay) + rest * np.exp(-decay) - 1.0)

    return float(scipy.optimize.brentq(excess, 0.0, 2.0, xtol=1e-15))
