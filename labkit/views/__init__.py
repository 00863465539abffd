"""What a person sees: widgets made from the results that the lab returns, with the same text and HTML behind them."""

from __future__ import annotations

from labkit.questions.access import Access
from labkit.questions.explanation import Explanation
from labkit.questions.token_reading import Reading
from labkit.views.access_matrix import AccessMatrix
from labkit.views.ladder import Ladder
from labkit.views.token_explorer import TokenExplorer
from labkit.views.view import View


def view(result: Reading | Explanation | Access) -> View:
    """The view of a result: a token explorer, a ladder of rules or an access matrix."""
    match result:
        case Reading():
            return TokenExplorer(result)
        case Explanation():
            return Ladder(result)
        case Access():
            return AccessMatrix(result)
