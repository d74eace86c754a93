"""Which styles a step sees."""

import numpy as np
import pytest

from realtime_nst.train.style_sampler import choose_styles, shares

pytestmark = pytest.mark.once


def counts(lag: list[float], batch: int = 4, steps: int = 6000) -> np.ndarray:
    """How often each style comes up."""
    chosen = [choose_styles(step, batch, np.array(lag), seed=1) for step in range(steps)]
    assert all(styles.shape == (batch,) and styles.dtype == np.int32 for styles in chosen)
    return np.bincount(np.concatenate(chosen), minlength=len(lag)) / (batch * steps)


@pytest.mark.parametrize("styles", [1, 2, 4, 5, 17])
def test_equal_styles_get_equal_shares(styles: int) -> None:
    assert np.allclose(counts([0.3] * styles), 1 / styles, rtol=0.1)


def test_style_that_lags_comes_more_often_in_proportion() -> None:
    assert np.allclose(counts([0.1, 0.1, 0.15, 0.05]), [0.25, 0.25, 0.375, 0.125], rtol=0.1)


def test_share_stays_between_half_and_twice_the_fair_one() -> None:
    assert shares(np.array([0.0] + [1.0] * 9)).min() > 0.04
    assert np.isclose(shares(np.array([100.0] + [1.0] * 9)).max() / shares(np.array([100.0] + [1.0] * 9)).min(), 4.0)


def test_batch_holds_every_style_before_one_twice() -> None:
    for step in range(200):
        assert len(set(choose_styles(step, 4, np.ones(17), seed=3))) == 4
        assert sorted(choose_styles(step, 4, np.ones(4), seed=3)) == [0, 1, 2, 3]


def test_choice_depends_on_seed_step_and_lag_alone() -> None:
    lag = np.linspace(0.5, 1.5, 9)
    once = [choose_styles(step, 4, lag, seed=5).tolist() for step in range(20)]
    assert once == [choose_styles(step, 4, lag, seed=5).tolist() for step in range(20)]
    assert once != [choose_styles(step, 4, lag, seed=6).tolist() for step in range(20)]
