from accounts.models.decision import REASON_LENGTH, DecisionEntry
from accounts.models.invitation import Invitation
from accounts.models.token import Token
from accounts.models.user import DecisionError, User

__all__ = ["REASON_LENGTH", "DecisionEntry", "DecisionError", "Invitation", "Token", "User"]
