"""What a person sees: widgets made from the results that the lab returns, with the same text and HTML behind them."""

from __future__ import annotations

from typing import Any

from labkit.attacks.what_if import WhatIf
from labkit.errors import UsageError
from labkit.learning.prediction import Prediction
from labkit.learning.quiz import Quiz
from labkit.learning.task import Card
from labkit.questions.access import Access
from labkit.questions.explanation import Explanation
from labkit.questions.token_reading import Reading
from labkit.views.access_matrix import AccessMatrix
from labkit.views.form import PredictionForm, QuizForm, TaskCard
from labkit.views.ladder import Ladder
from labkit.views.token_explorer import TokenExplorer
from labkit.views.view import View
from labkit.views.what_if import WhatIfPanel


def view(result: Reading | Explanation | Access | WhatIf | Prediction | Card | Quiz) -> View[Any]:
    """The view of a result: a token explorer, a ladder of rules, an access matrix, a what-if panel or a form.

    Raises:
        UsageError: it is the result of another question, or none.
    """
    match result:
        case Reading():
            return TokenExplorer(result)
        case Explanation():
            return Ladder(result)
        case Access():
            return AccessMatrix(result)
        case WhatIf():
            return WhatIfPanel(result)
        case Prediction():
            return PredictionForm(result)
        case Card():
            return TaskCard(result)
        case Quiz():
            return QuizForm(result)
    raise UsageError(
        f"There is no view of a {type(result).__name__}.",
        "Give what lab.read, lab.explain, lab.access or lab.what_if returns.",
    )
