"""A preview whose look was not answered: a warning, since `pulumi up` may be answered, unless it certainly will not."""

from __future__ import annotations

from pulumi_resource_togetherai.api.errors import ApiError, CredentialRefused
from pulumi_resource_togetherai.operation.run import Interrupted, OperationError, Run


async def unchecked(run: Run, what: str, error: ApiError | Interrupted | TimeoutError, *, needed: bool = True) -> None:
    """Reports that a preview could not check `what`. Raises OperationError if the API does not accept the key at all
    (401) and `pulumi up` begins with the same look, so that the answer is `needed`. A key that may not read this (403)
    is a warning: a pull request may be previewed with a key that may do less."""
    if needed and isinstance(error, CredentialRefused) and error.http_status == 401:
        raise OperationError(f"`pulumi up` will fail, because the API refuses the key: {error}") from error
    await run.report.warning(f"cannot check {what}: {str(error) or 'no answer in time'}")
