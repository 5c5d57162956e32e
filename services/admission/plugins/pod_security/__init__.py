"""PodSecurity: the Pod Security Standards, asked for by labels of namespaces.

`plugin` is the plugin, `policies` reads labels and configuration, `evaluation` picks the checks of a level and version,
`baseline` and `restricted` hold the checks of each level.
"""

from services.admission.plugins.pod_security.plugin import PodSecurity as PodSecurity
