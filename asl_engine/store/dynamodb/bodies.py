"""Where the bytes of an item are: in the item, or in S3 under the hash of their content when that is cheaper.

A write to S3 costs as much as 8 write units, and the item that names it takes one: from 9 KB on, S3 is cheaper to
write. It is slower by some 20 ms, which cost a waiting runner of half a gigabyte a fifth of a unit more, and a read of
it costs as much as 3 read units, or 12 KB. So bodies above 12 KB go there. They are written before the item that names
them, and checked when read.

Without a bucket a body stays in its item up to a little less than what an item may hold.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from asl_engine.errors import StoreCorrupt, StoreRefused
from asl_engine.store.dynamodb.answers import NoSuchObject
from asl_engine.store.dynamodb.client import Client
from asl_engine.store.dynamodb.table import Item

OFFLOAD_ABOVE_BYTES: Final = 12 * 1024
INLINE_BYTES_MAX: Final = 390_000  # an item may have 409,600 bytes, its keys and index keys included
_PREFIX: Final = "bodies/"


class Bodies:
    """Keeps bodies. `bucket` None: only in items."""

    def __init__(self, client: Client, bucket: str | None) -> None:
        self._client, self._bucket = client, bucket

    async def kept(self, body: bytes, what: str) -> Item:
        """The attribute that holds or names the body, which is in S3 by then. Raises StoreRefused."""
        if len(body) <= OFFLOAD_ABOVE_BYTES or (self._bucket is None and len(body) <= INLINE_BYTES_MAX):
            return {"b": {"B": body}}
        if self._bucket is None:
            raise StoreRefused(
                f"dynamodb:{self._client.table}: {what} takes {len(body):,} bytes compressed, and an item holds "
                f"{INLINE_BYTES_MAX:,}. Nothing was written. Name a bucket for what is larger: "
                f"dynamodb:{self._client.table}?bucket=NAME, or ASL_BUCKET"
            )
        digest = hashlib.sha256(body)
        await self._call("PutObject", digest.hexdigest(), Body=body)
        return {"s": {"B": digest.digest()}}

    async def body(self, item: Item) -> bytes:
        """The body of an item. Raises StoreCorrupt when S3 has another one, or none."""
        if "b" in item:
            inline: bytes = item["b"]["B"]
            return inline
        digest: bytes = item["s"]["B"]
        place = f"s3://{self._bucket}/{_PREFIX}{digest.hex()}"
        if self._bucket is None:
            raise StoreCorrupt(
                f"its body is in S3 as {digest.hex()}: name the bucket, as in ?bucket=NAME or ASL_BUCKET"
            )
        try:
            answer = await self._call("GetObject", digest.hex())
        except NoSuchObject as error:
            raise StoreCorrupt(f"its body {place} is missing; restore the bucket from a copy") from error
        body: bytes = answer["Body"]
        if hashlib.sha256(body).digest() != digest:
            raise StoreCorrupt(f"its body {place} is not what was written; restore the bucket from a copy")
        return body

    async def _call(self, operation: str, digest: str, **parameters: Any) -> Any:
        parameters |= {"Bucket": self._bucket, "Key": _PREFIX + digest}
        return await self._client.repeated(operation, parameters, service="s3")
