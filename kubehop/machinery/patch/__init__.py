"""Patches: JSON patch, merge patch and strategic merge patch, as kube-apiserver applies them.

`requests.patch_object` is what the gateway's patch verb calls: a body and the current object in, the new object and
warnings out. `json_patch`, `merge_patch` and `strategic` are the algorithms alone: values in, new values out, nothing
that is passed in ever changed. Server-side apply lives in `kubehop.machinery.apply`.
"""
