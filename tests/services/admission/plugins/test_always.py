"""AlwaysAdmit and AlwaysDeny."""

from __future__ import annotations

import pytest

from kubehop.machinery.status import StatusError
from services.admission.plugins.always_admit import AlwaysAdmit
from services.admission.plugins.always_deny import AlwaysDeny
from tests.services.admission.requests import create


async def test_always_deny_refuses_in_both_phases():
    """403 with kube-apiserver's words."""
    attributes = create("pods", {"metadata": {"name": "p"}}, namespace="n")
    for phase in (AlwaysDeny().admit, AlwaysDeny().validate):
        with pytest.raises(StatusError) as refused:
            await phase(attributes)
        assert refused.value.message == 'pods "p" is forbidden: admission control is denying all modifications'


async def test_always_admit_admits():
    """Nothing is refused and nothing changed."""
    attributes = create("pods", {"metadata": {"name": "p"}}, namespace="n")
    assert await AlwaysAdmit().admit(attributes) is None
    await AlwaysAdmit().validate(attributes)
