"""The authenticators, one file each; `union` puts them in kube-apiserver's order."""
