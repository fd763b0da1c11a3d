"""scikit-learn's MLPClassifier, a step of which is a call of `partial_fit` with one batch."""

import warnings

import numpy as np
import work as given


class Training:
    def __init__(self, work):
        from sklearn.neural_network import MLPClassifier

        self.X, self.t = given.data(work)
        self.classes = np.arange(given.CLASSES)
        self.initial = given.weights(work)
        self.net = MLPClassifier(
            work.sizes[1:-1], solver="sgd", alpha=0.0, batch_size=work.batch, momentum=0.0,
            learning_rate_init=given.RATE, nesterovs_momentum=False, shuffle=False,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.net.partial_fit(self.X, self.t, classes=self.classes)
        self.reset()

    def reset(self):
        places = [*zip(self.net.coefs_, self.net.intercepts_, strict=True)]
        for array, start in zip([a for pair in places for a in pair], self.initial, strict=True):
            array[...] = start

    def __call__(self):
        self.net.partial_fit(self.X, self.t)
        return float(self.net.loss_)
