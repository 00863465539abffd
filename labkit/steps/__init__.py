"""The steps of the lab, in the post's order."""

from labkit.steps.authorizer import Authorizer
from labkit.steps.functions import Functions
from labkit.steps.http_api import HttpApi
from labkit.steps.step import Step
from labkit.steps.user_pool import UserPool

STEPS: tuple[Step, ...] = (Functions(), UserPool(), HttpApi(), Authorizer())
