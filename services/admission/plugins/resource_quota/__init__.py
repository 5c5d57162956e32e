"""ResourceQuota: what a namespace may hold, charged to its quotas before anything is stored.

`plugin` is the plugin, `ledger` charges by transactions, `judging` decides one request against quotas as they stand,
`evaluators` and the modules beside it know what an object uses.
"""

from services.admission.plugins.resource_quota.plugin import ResourceQuota as ResourceQuota
