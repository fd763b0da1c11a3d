from __future__ import annotations

from pathlib import Path

import pytest
from killing import EPOCHS, make
from undisturbed import At, Died, bits, die, names


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bits of a run that nobody disturbed, and that wrote no checkpoints."""
    trainer = make(None)
    trainer.fit(EPOCHS)
    return bits(trainer, tmp_path_factory.mktemp("whole"))


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The folder of a run that ended in its third epoch, after step 18, the last that was saved."""
    folder = tmp_path / "run"
    with pytest.raises(Died):
        make(folder, At(19, die)).fit(EPOCHS)
    assert names(folder) == ["checkpoint-000000016.npz", "checkpoint-000000018.npz"]
    return folder
