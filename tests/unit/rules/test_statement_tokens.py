"""A page's place survives its token, and no other token gets through."""

import pytest

from services.region.rules.statement_tokens import PagePlace, decode_token, encode_token
from shared.errors import ValidationError

key, digest = b"k" * 32, b"d" * 16


@pytest.mark.parametrize("place", [PagePlace(), PagePlace(3), PagePlace(0, {"p": {"S": "ü"}, "c": {"N": "1"}})])
def test_a_place_survives_its_token(place: PagePlace) -> None:
    assert decode_token(encode_token(place, digest=digest, key=key), digest=digest, key=key) == place


def test_tokens_of_another_statement_are_refused() -> None:
    token = encode_token(PagePlace(1), digest=digest, key=key)
    with pytest.raises(ValidationError, match="NextToken does not match request"):
        decode_token(token, digest=b"e" * 16, key=key)


def test_tokens_that_were_not_made_here_are_refused() -> None:
    token = encode_token(PagePlace(1), digest=digest, key=key)
    for changed in (token[:-4] + "AAAA", "AAAA" + token[4:], token[:9], "§"):
        with pytest.raises(ValidationError, match="Invalid NextToken"):
            decode_token(changed, digest=digest, key=key)
