"""How OpenAI, and servers like it, say that they cannot: bodies, headers, statuses.

Source: OpenAI's guide "Error codes".
"""

from __future__ import annotations

import math
from typing import Any

from tests.vendors.script import Fail

#: status: type, code, sentence
_ERRORS = {
    400: ("invalid_request_error", None, "Invalid request."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-st****ub."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "Not supported here."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    500: ("server_error", None, "The server had an error while processing your request."),
    503: ("service_unavailable_error", None, "The engine is currently overloaded."),
}


class OpenAIErrors:
    """What both endpoints share."""

    def error(self, fail: Fail) -> dict[str, Any]:
        other = "server_error" if fail.status >= 500 else "invalid_request_error"
        kind, code, sentence = _ERRORS.get(fail.status, (other, None, "An error."))
        return {
            "error": {
                "message": fail.message or sentence,
                "type": kind,
                "param": None,
                "code": fail.kind or code,
            }
        }

    def error_headers(self, fail: Fail) -> dict[str, str]:
        headers = {"x-request-id": "req_stub", "openai-processing-ms": "1"}
        if fail.retry_after_s is not None:
            headers["retry-after-ms"] = str(round(fail.retry_after_s * 1000))
            headers["retry-after"] = str(math.ceil(fail.retry_after_s))
        return headers

    def no_such_model(self, model: str) -> Fail:
        return Fail(404, f"The model `{model}` does not exist or you do not have access to it.")

    def wrong_key(self) -> Fail:
        return Fail(401)
