"""In-memory replicas of resources, kept current from the storage stage.

Stages that decide by objects (authorization, admission) hold one `Reflector` per resource; this package re-exports it.
"""

from kubehop.reflector.backoff import Backoff
from kubehop.reflector.pulse import Pulse
from kubehop.reflector.reflector import Object, ObjectKey, Reflector, ReflectorSettings
from kubehop.reflector.replica import Replica

__all__ = ["Backoff", "Object", "ObjectKey", "Pulse", "Reflector", "ReflectorSettings", "Replica"]
