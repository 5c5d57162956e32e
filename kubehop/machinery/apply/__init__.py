"""Server-side apply: who owns which field, and what an apply changes.

Follows the specification of structured merge and of managed fields
(https://kubernetes.io/docs/reference/using-api/server-side-apply/, KEP-555). Read in this order: `fieldsets` (sets of
field paths), `typed` (walks of an object along its schema), `updater` (the algebra of update and apply), `entries`
(metadata.managedFields and back), `manager` (what the verbs call).
"""
