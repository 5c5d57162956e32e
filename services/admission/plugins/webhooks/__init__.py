"""Admission webhooks: MutatingAdmissionWebhook and ValidatingAdmissionWebhook.

`mutating` and `validating` are the plugins; `hooks` reads the configurations, `matching` says which hooks a request
concerns, `reviews` makes and reads AdmissionReviews, `calls` sends them, `services` finds where a service listens.
"""

from services.admission.plugins.webhooks.mutating import MutatingAdmissionWebhook as MutatingAdmissionWebhook
from services.admission.plugins.webhooks.validating import ValidatingAdmissionWebhook as ValidatingAdmissionWebhook
