import pytest


@pytest.fixture(scope="module")
def headless():
    """Pictures are drawn without a window, whatever the machine."""
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("plt.show() was called"))
        yield


@pytest.fixture
def no_figures_left():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")
