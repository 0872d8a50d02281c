from accounts.models.token import Token
from accounts.models.user import REASON_LENGTH, DecisionRefused, User

__all__ = ["REASON_LENGTH", "DecisionRefused", "Token", "User"]
