from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.divergence import kl
from rlexact.formulas.kl_shaping import adaptive_kl_coefficient, kl_shaped_rewards, sequence_reward, token_rewards

THIRD = Fraction(1, 3)


def batch(rng, steps=5, answers=4):
    log_p, log_ref = np.array(
        [[Fraction(-int(x), 7) for x in row] for row in rng.integers(1, 30, (2, steps * answers))]
    )
    lengths = rng.integers(1, steps + 1, answers)
    mask = np.arange(steps)[:, None] < lengths
    scores = np.array([Fraction(int(x), 3) for x in rng.integers(-5, 5, answers)])
    return scores, log_p.reshape(steps, answers), log_ref.reshape(steps, answers), mask, lengths


@pytest.mark.parametrize("seed", range(3))
def test_tokens_add_up_to_the_answer(seed):
    scores, log_p, log_ref, mask, lengths = batch(np.random.default_rng(seed))
    tokens = token_rewards(scores, log_p, log_ref, THIRD, mask)
    whole = sequence_reward(scores, log_p, log_ref, THIRD, mask)
    for b, n in enumerate(lengths):
        ratio = sum(log_p[t, b] - log_ref[t, b] for t in range(n))
        assert whole[b] == tokens[:, b].sum() == scores[b] - THIRD * ratio
        assert all(tokens[t, b] == -THIRD * (log_p[t, b] - log_ref[t, b]) for t in range(n - 1))
        assert (tokens[n:, b] == 0).all()


def test_gaps_in_the_mask_keep_one_score():
    mask = np.array([False, True, False, True, False])
    zero = np.zeros(5)
    assert list(token_rewards(2.0, zero, zero, 1.0, mask)) == [0, 0, 0, 2, 0]


def test_its_mean_is_reward_less_beta_kl():
    pi, ref, r = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.3, 0.1]), np.array([1.0, 2.0, -1.0])
    shaped = kl_shaped_rewards(r, np.log(pi), np.log(ref), 0.7)
    assert pi @ shaped == pytest.approx(pi @ r - 0.7 * kl(pi, ref), rel=1e-14)


def test_controller_turns_towards_the_target():
    tenth, fifth = Fraction(1, 10), Fraction(1, 5)

    def after(found):
        return adaptive_kl_coefficient(Fraction(2), found, 6, tenth, fifth)

    assert after(Fraction(6)) == 2
    assert after(Fraction(600)) == 2 * (1 + tenth * fifth)
    assert after(Fraction(-600)) == 2 * (1 - tenth * fifth)
    assert after(Fraction(66, 10)) == 2 * (1 + tenth * tenth)


def test_refusals():
    with pytest.raises(InvalidBatch, match="scores have shape"):
        token_rewards([1.0], [-1.0, -1.0], [-1.0, -1.0], 1.0)
    with pytest.raises(InvalidBatch, match="answer 1 has no token"):
        sequence_reward([1.0, 1.0], [[-1.0, -1.0]], [[-1.0, -1.0]], 1.0, [[True, False]])
    with pytest.raises(InvalidBatch, match="beta"):
        kl_shaped_rewards([1.0], [-1.0], [-1.0], -1.0)
    with pytest.raises(InvalidBatch, match="target"):
        adaptive_kl_coefficient(1.0, 1.0, 0.0, 0.1, 0.2)
    with pytest.raises(InvalidBatch, match="gain"):
        adaptive_kl_coefficient(1.0, 1.0, 1.0, 10.0, 0.2)
