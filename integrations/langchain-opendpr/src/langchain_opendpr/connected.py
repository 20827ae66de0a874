"""What retriever and answerer have in common: the collection that they use, and how passages are found in it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr

import opendpr


class Connected(BaseModel):
    """A model of pydantic with a connection, which is opened when it is made."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    collection: str
    """Path of a collection, or of a folder or file of documents; or a service's address, as http://127.0.0.1:8000."""
    where: str | None = None
    """Filter on the metadata of documents, as `year >= 2019 and source = 'manual'`."""
    retriever: Literal["hybrid", "dense", "bm25"] = "hybrid"
    """How passages are found."""
    model: str | None = None
    """Name or directory, for a path; None is the one that the collection was encoded with."""
    token: SecretStr | None = Field(default=None, exclude=True)
    """Of a service that needs one."""
    _connection: opendpr.Connection = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Open the collection now, because a wrong path should be reported where it is given."""
        super().model_post_init(context)
        token = self.token.get_secret_value() if self.token else None
        self._connection = opendpr.connect(self.collection, self.model, token=token)
