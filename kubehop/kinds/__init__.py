"""The built-in kinds of Kubernetes v1.36: one package per API group, and what is asked of all of them.

`catalogue` answers which resources exist, `schemas` what their objects look like, `strategy` what may be written,
`convert` how one object looks in another version, `tables` how it is printed. The catalogue is cheap to import;
everything else loads a kind's own module when that kind is first used.
"""
