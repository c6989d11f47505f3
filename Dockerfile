# The images of the oracle. docs/images.md explains the targets, how to run them, and how CI builds this file.
#
#   oracle   (default) the commands, on Debian's Python; no compiler, no pip, no shell script of ours
#   gpu      the same with CUDA from NVIDIA's wheels; run it with the NVIDIA container toolkit
#   anvil    the embedded chain alone, for compose.yaml
#   demo     oracle with anvil, for `provenance demo`
#
# Python packages come from requirements/*.txt, by hash. BASE must be Debian 12 or a later Debian.
ARG BASE=docker.io/library/debian:bookworm-slim

# Debian's Python, which every target shares.
FROM ${BASE} AS python
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/cache/ldconfig/* /var/log/*

# The compiler and the tools of the build. Nothing of this stage reaches another one but files that are named below.
FROM python AS tools
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends gcc libc6-dev python3-venv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python3 -m venv venv

FROM tools AS builder
# For a private authority: `--secret id=ca,src=FILE --build-arg PIP_CERT=/run/secrets/ca`. It gets into no image.
ARG PIP_CERT
ARG PIP_INDEX_URL
# Every file of the wheel carries this date (seconds since 1970), so that equal sources give equal bytes.
ARG SOURCE_DATE_EPOCH=1580601600
ARG REQUIREMENTS=image
COPY requirements requirements
# The environment of the programs has no pip: that of the build fills it. The lists are complete, so nothing is resolved.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca \
    python3 -m venv --without-pip /opt/provenance \
 && venv/bin/pip install -q --require-hashes -r requirements/build.txt \
 && venv/bin/pip --python /opt/provenance/bin/python install -q --no-deps --require-hashes -r requirements/${REQUIREMENTS}.txt \
 && venv/bin/pip --python /opt/provenance/bin/python check
COPY pyproject.toml hatch_build.py README.md CHANGELOG.md LIMITATIONS.md SECURITY.md LICENSE ./
COPY src src
COPY verifier verifier
COPY publisher publisher
COPY oracle oracle
# A wheel without the compiled part ends the build. Byte code is checked by its source's hash, not its date.
RUN venv/bin/pip wheel -q --no-deps --no-build-isolation --wheel-dir wheel . \
 && if ls wheel/*-none-any.whl 2>/dev/null; then echo "the wheel has no compiled part" >&2; exit 1; fi \
 && venv/bin/pip --python /opt/provenance/bin/python install -q --no-deps --no-index wheel/*.whl \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/provenance/lib

FROM python AS oracle
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="provenance-oracle" \
      org.opencontainers.image.description="Tells, from a smart contract, where an AI model came from" \
      org.opencontainers.image.source="https://github.com/provenance-oracle/provenance-oracle" \
      org.opencontainers.image.documentation="https://github.com/provenance-oracle/provenance-oracle/blob/main/docs/images.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# No program of the image gives its caller another user's rights.
RUN echo "provenance:x:65532:65532:provenance oracle:/data:/usr/sbin/nologin" >>/etc/passwd \
 && echo "provenance:x:65532:" >>/etc/group \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && install -d -o 65532 -g 65532 -m 0750 /data
COPY --from=builder /opt/provenance /opt/provenance
COPY operations/image/healthcheck.py /usr/local/lib/provenance/healthcheck.py
ENV PATH=/opt/provenance/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# The root file system may be read-only: only /data and /tmp are written.
WORKDIR /data
VOLUME /data
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/bin/python3", "-I", "/usr/local/lib/provenance/healthcheck.py"]
ENTRYPOINT ["provenance"]
CMD ["--help"]

# anvil, as npm's lock file names it. npm is that of the PyPI wheel, also by hash.
FROM tools AS anvil-builder
ARG PIP_CERT
ARG PIP_INDEX_URL
ARG NODE_EXTRA_CA_CERTS
COPY requirements/node.txt requirements/node.txt
COPY tools/npm.py tools/npm.py
COPY hardhat/package.json hardhat/package-lock.json hardhat/.npmrc hardhat/
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca \
    venv/bin/python tools/npm.py ci --omit=dev --prefix hardhat \
 && install -m 0755 hardhat/node_modules/@foundry-rs/anvil-linux-*/bin/anvil /usr/local/bin/anvil

FROM python AS anvil
COPY --from=anvil-builder /usr/local/bin/anvil /usr/local/bin/anvil
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && install -d -o 65532 -g 65532 -m 0750 /data
WORKDIR /data
VOLUME /data
USER 65532:65532
EXPOSE 8545
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=5 \
    CMD ["/usr/bin/python3", "-I", "-c", "import socket; socket.create_connection(('127.0.0.1', 8545), 2)"]
ENTRYPOINT ["anvil"]

FROM oracle AS demo
COPY --from=anvil-builder /usr/local/bin/anvil /usr/local/bin/anvil
CMD ["demo", "--folder", "/data/demo", "--keep-seconds", "0"]

# CUDA from NVIDIA's wheels on PyPI, by hash; the driver's library comes from the host through the container toolkit.
FROM builder AS gpu-builder
ARG PIP_CERT
ARG PIP_INDEX_URL
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca \
    venv/bin/pip --python /opt/provenance/bin/python install -q --no-deps --require-hashes -r requirements/cuda.txt \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/provenance/lib

FROM oracle AS gpu
COPY --from=gpu-builder /opt/provenance /opt/provenance
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    CUPY_CACHE_DIR=/tmp/cupy

# The last stage is the one that a build without --target makes.
FROM oracle
