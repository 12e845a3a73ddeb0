"""Small helpers, each in a module of its own."""

from . import cache as cache
from . import date as date
from . import directory as directory
from . import exception_handler as exception_handler
from . import rounding as rounding
from . import timespan as timespan
from . import url as url
