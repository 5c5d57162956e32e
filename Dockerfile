# The image of every kubehop process: stages, gateway and the command line. compose.yaml says which a container runs.
#
# BASE_IMAGE is any image with Python 3.11 or newer as `python3`, with venv and pip, built from the same distribution in
# both stages. Behind a proxy of one's own, pip's settings and a CA bundle come in as build secrets (`pip`, `ca`) and
# leave no trace in the image.
ARG BASE_IMAGE=python:3.11.13-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The wheels of the dependencies change only with pyproject.toml.
COPY pyproject.toml ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    python3 -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); print(*p["project"]["dependencies"], *p["build-system"]["requires"], sep="\n")' > requirements.txt \
    && python3 -m venv /build && /build/bin/pip wheel --quiet --wheel-dir /wheels --requirement requirements.txt
COPY README.md LICENSE ./
COPY kubehop kubehop
COPY gateway gateway
COPY services services
# The environment holds no pip, and of the schema catalogue only the release that is served.
RUN /build/bin/pip wheel --quiet --no-deps --no-index --find-links /wheels --wheel-dir /wheels . \
    && python3 -m venv --without-pip /opt/kubehop \
    && /build/bin/pip --python /opt/kubehop/bin/python install --quiet --no-index --find-links /wheels kubehop \
    && find /opt/kubehop/lib -path '*/kubernetes-json-schema/v*' -prune -not -path '*/v1.36.*-local' -exec rm -rf {} + \
    && /opt/kubehop/bin/python -c 'from kubehop.kinds import schemas; schemas.schema_for("", "v1", "Pod")' \
    && mkdir -p /layout/data /layout/pki && cd /layout/pki \
    && mkdir -m 0700 authorities admin etcd storage authentication authorization admission gateway

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="kubehop" \
      org.opencontainers.image.description="A Kubernetes-compatible API server taken apart at its handler-chain boundaries." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/kubehop /opt/kubehop
# Fresh volumes take over owner and mode of what they are mounted on: this is how the non-root user owns them.
COPY --from=build --chown=65532:65532 /layout/pki /pki
COPY --from=build --chown=65532:65532 /layout/data /data
ENV PATH=/opt/kubehop/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1
USER 65532:65532
CMD ["kubehop", "--help"]
