"""gradcheck rejects wrong layers, says what they look like, and accepts right ones."""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np
import pytest
import wrong_habits
import wrong_layers
import wrong_sums
from right_layers import AT_ZERO, RIGHT, Dropout, Erf, ErfWithJvp, ReLU
from wrong_layers import X

import nnlite as nn
from nnlite.checking import GradcheckError, gradcheck

WRONG = wrong_layers.WRONG | wrong_sums.WRONG | wrong_habits.WRONG


def rejected(f: Any, *inputs: Any) -> GradcheckError:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, *inputs)
    return caught.value


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_layer_is_rejected_with_the_right_diagnosis(name: str) -> None:
    case = WRONG[name]
    error = rejected(case.layer(), *case.inputs)
    assert re.search(case.looks_like, error.looks_like), str(error)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_layer_is_accepted(name: str) -> None:
    layer, inputs = RIGHT[name]
    assert gradcheck(layer(), *inputs)


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("rng", [1, 2, 3])
def test_a_right_layer_is_accepted_along_other_directions(name: str, rng: int) -> None:
    layer, inputs = RIGHT[name]
    assert gradcheck(layer(), *inputs, rng=rng)


@pytest.mark.parametrize("rng", [1, 2, 3])
def test_a_wrong_layer_is_rejected_along_other_directions(rng: int) -> None:
    for case in WRONG.values():
        with pytest.raises(GradcheckError) as caught:
            gradcheck(case.layer(), *case.inputs, rng=rng)
        assert re.search(case.looks_like, caught.value.looks_like), str(caught.value)


def test_the_collection_is_as_large_as_was_promised() -> None:
    assert len(WRONG) >= 25
    assert len(RIGHT) >= 10


class TestTheError:
    def test_names_the_layer_the_leaf_the_place_and_the_size(self) -> None:
        message = str(rejected(WRONG["SignFlipped"].layer(), np.array([0.0, 1.0])))
        assert re.search(
            r"SignFlipped\(\): the gradient of input x is wrong: the largest error is \S+ at \[1\]"
            r", where it is \S+ and should be \S+\nIt looks like this: the sign is flipped\.",
            message,
        )

    def test_names_the_parameter_as_the_module_does(self) -> None:
        net = nn.Sequential(nn.Sigmoid(), WRONG["ParameterForgotten"].layer())
        assert "parameter 1.gain" in str(rejected(net, X)) or "self.gain" in str(rejected(net, X))

    def test_is_an_assertion_error(self) -> None:
        assert issubclass(GradcheckError, AssertionError)

    @pytest.mark.parametrize("error", [1e-10, 1e-6, 1e-3])
    def test_is_raised_for_small_errors_too(self, error: float) -> None:
        class Nearly(nn.Module):
            def forward(self, x: Any) -> Any:
                self.save_for_backward(x)
                return np.sin(x)

            def backward(self, grad: Any) -> Any:
                return grad * np.cos(self.saved[0]) * (1 + error)

        factor = re.findall(r"it is (\S+) times", rejected(Nearly(), X).looks_like)
        assert float(factor[0]) - 1 == pytest.approx(error, rel=0.02)

    def test_is_raised_for_float32_as_for_float64(self) -> None:
        for name in ("SignFlipped", "BiasNotSummed", "CutOffFromItsInput", "WrongSpecialFunction"):
            layer = WRONG[name].layer()
            for parameter in layer.parameters():
                parameter.value = parameter.value.astype(np.float32)
            slip = rejected(layer, X.astype(np.float32)).looks_like
            assert re.search(WRONG[name].looks_like, slip), name


class TestTheReport:
    def test_is_true_and_lists_what_was_checked_and_how(self) -> None:
        report = gradcheck(nn.Linear(3, 2, rng=0), X)
        assert report
        assert report.exact
        assert report.notes == []
        for text in (
            "Linear(3, 2)",
            "gradient of input x: exact, from dual numbers; error ",
            "gradient of parameter weight: exact",
            "gradient of parameter bias: exact",
            "second derivative, parameter weight: exact",
            "two vertices",
            "accumulation",
            "float32",
            "for a batch of one",
        ):
            assert text in str(report)

    def test_says_where_central_differences_were_needed(self) -> None:
        report = gradcheck(Erf(), X)
        assert not report.exact
        assert "gradient of input x: by central differences; error " in str(report)
        assert "second derivatives were not checked" in str(report)
        assert "jvp: agrees" in str(gradcheck(ErfWithJvp(), X))

    def test_says_where_a_kink_was_met(self) -> None:
        assert gradcheck(ReLU(0.0), AT_ZERO).notes == []
        (note,) = gradcheck(ReLU(1.0), AT_ZERO).notes
        assert note.startswith("input x is at a kink")

    def test_has_errors_of_rounding_where_the_reference_is_exact(self) -> None:
        report = gradcheck(nn.Sigmoid(), X)
        (error,) = re.findall(r"gradient of input z: .* error (\S+)$", str(report), re.MULTILINE)
        assert float(error) < 1e-15


class TestWhatIsChecked:
    def test_is_left_as_it_is(self) -> None:
        dropout, linear, x = Dropout(), nn.Linear(3, 2, rng=0), X.copy()
        state, weight = dropout.rng.bit_generator.state, linear.weight.value
        linear(x)
        linear.backward(np.ones((5, 2)))
        gradient = linear.weight.grad
        gradcheck(nn.Sequential(linear, nn.Sigmoid()), x)
        gradcheck(dropout, x)
        assert dropout.rng.bit_generator.state == state
        assert linear.weight.value is weight
        assert linear.weight.grad is gradient
        np.testing.assert_array_equal(x, X)

    def test_may_be_a_function_that_uses_modules_whose_gradients_stay_as_they_are(self) -> None:
        linear = nn.Linear(3, 2, rng=0)
        assert gradcheck(lambda x: nn.Sigmoid()(linear(x)), X)
        assert linear.weight.grad is None

    def test_is_every_parameter_that_a_composite_reads(self) -> None:
        class Penalty(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.w, self.v = nn.Parameter(X[0]), nn.Parameter(X[1])

            def forward(self, x: Any) -> Any:
                return (x * self.w.value).sum() + nn.L2()(self.v)

        report = gradcheck(Penalty(), X)
        assert {"gradient of parameter w", "gradient of parameter v"} <= set(report.checks)

    def test_may_be_large(self) -> None:
        x = np.random.default_rng(0).normal(size=(2, 3000))
        assert gradcheck(nn.Linear(3000, 20, rng=0), x)

    def test_may_have_an_empty_batch(self) -> None:
        assert gradcheck(nn.Linear(3, 2, rng=0), X[:0])

    def test_may_have_an_order_of_its_own_in_memory(self) -> None:
        assert gradcheck(nn.Linear(3, 2, rng=0), np.asfortranarray(X))
        assert gradcheck(nn.Sigmoid(), X[::2, ::-1])

    def test_may_have_saturated(self) -> None:
        assert gradcheck(nn.Sequential(nn.Linear(3, 2, rng=0), nn.Sigmoid()), 1000 * X)

    def test_may_refuse_what_lies_beside_the_point(self) -> None:
        class Probability(nn.Module):
            """√p with p in [0, 1]; at 1 there is only one side."""

            def forward(self, p: Any) -> Any:
                if isinstance(p, np.ndarray) and (p < 0).any() | (p > 1).any():
                    raise ValueError("not a probability")
                self.save_for_backward(p)
                return p**0.5

            def backward(self, grad: Any) -> Any:
                return 0.5 * grad * self.saved[0] ** -0.5

        assert gradcheck(Probability(), np.array([0.25, 1.0]))

    def test_may_have_buffers_and_a_dtype_of_its_own(self) -> None:
        class Centred(nn.Module):
            buffers = ("mean",)

            def __init__(self) -> None:
                super().__init__()
                self.mean, self.dtype = np.zeros(3), np.dtype(np.float64)

            def forward(self, x: Any) -> Any:
                if x.dtype != self.dtype:
                    raise TypeError("another dtype")
                if isinstance(x, np.ndarray):
                    self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)
                return x - x.mean(axis=0)

            def backward(self, grad: Any) -> Any:
                return grad - grad.mean(axis=0)

        report = gradcheck(Centred(), X)
        assert report.notes == []
        assert "float32" in report.checks

    def test_can_be_copied(self) -> None:
        layer = nn.Sigmoid()
        layer.lock = threading.Lock()  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match="cannot be copied"):
            gradcheck(layer, X)

    def test_needs_something_to_be_differentiated(self) -> None:
        with pytest.raises(TypeError, match="no parameters, and no input is of floats"):
            gradcheck(np.square, np.arange(3))

    def test_has_one_output(self) -> None:
        error = rejected(lambda x: (x, 2 * x), X)
        assert "several outputs" in error.looks_like

    def test_raises_what_forward_raises(self) -> None:
        with pytest.raises(ValueError, match="is x transposed"):
            gradcheck(nn.Linear(3, 2, rng=0), X.T)


class TestMistakesInACompound:
    @pytest.mark.parametrize(
        ("function", "slip"),
        [
            (lambda x: float(np.sum(x * x)), "Python float"),
            (lambda x: np.sum(x * x).item(), "Python float"),
            (lambda x: x.__setitem__(0, 1), "written in place"),
            (lambda x: None, "`return` forgotten"),
            (lambda x: [x], "not one array"),
        ],
    )
    def test_of_its_forward_are_explained(self, function: Any, slip: str) -> None:
        class Compound(nn.Module):
            def forward(self, x: Any) -> Any:
                return function(x)

        assert slip in rejected(Compound(), X).looks_like
        assert slip in rejected(function, X).looks_like

    def test_of_layers_are_found(self) -> None:
        for name in ("SignFlipped", "StateOnTheModule", "BiasNotSummed", "InputWritten"):
            layer = WRONG[name].layer()
            assert rejected(nn.Sequential(nn.Linear(3, 3, rng=0), layer), X).looks_like

    def test_of_forward_are_not_laid_at_the_door_of_backward(self) -> None:
        class CutOff(nn.Module):
            def forward(self, x: Any) -> Any:
                self.save_for_backward(x)
                return x * getattr(x, "primal", x)

            def backward(self, grad: Any) -> Any:
                return 2 * grad * self.saved[0]

        assert "backward is right and the derivative of forward is not" in str(
            rejected(CutOff(), X)
        )


@pytest.mark.parametrize("seed", range(5))
def test_a_bias_that_a_normalisation_cancels_is_accepted(seed):
    X = np.random.default_rng(seed).normal(size=(4, 3))
    assert nn.gradcheck(nn.Sequential(nn.Linear(3, 3, rng=seed), nn.BatchNorm1d(3)), X)
    assert nn.gradcheck(nn.Sequential(nn.Linear(3, 3, rng=seed), nn.Softmax(0)), X)
