# CPython 3.13 on debian:trixie-slim, flavour slim: both builds, or one of them.
# Written by `ftbuild image render`; do not edit.
#
#   docker build -f docker/3.13/trixie.Dockerfile -t ftbuild:3.13-both .
#
# takes what it needs from the network. `ftbuild image build 3.13` brings
# along all but the distribution's packages, and labels the image with what it was made from.

ARG BASE=debian:trixie-slim

FROM ${BASE} AS builder
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      clang-19 llvm-19 lld-19 libclang-rt-19-dev gcc libc6-dev make pkg-config python3 \
      python3-venv libssl-dev zlib1g-dev libbz2-dev liblzma-dev libsqlite3-dev libreadline-dev \
      libncurses-dev libffi-dev uuid-dev libgdbm-dev libgdbm-compat-dev tk-dev \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old \
      /var/lib/dpkg/*-old /var/log/apt /var/log/*.log
COPY . /context
# With wheels in the context nothing is downloaded; without, the context is a checkout.
RUN python3 -m venv /ftbuild \
 && if [ -d /context/wheels ]; then \
      /ftbuild/bin/pip install --quiet --no-index --no-deps "/context/wheels/$(uname -m)"/*.whl; \
    else \
      touch /context/README.md && /ftbuild/bin/pip install --quiet /context; \
    fi
# 3.13.18: both builds; 3.13.18t: the free-threaded one; 3.13.18+gil: the other.
ARG PYTHON=3.13.18
ARG PROFILE=optimized
# Debug information is cut off later where an image leaves it out: all flavours share this step.
RUN set -- "${PYTHON}" --profile "${PROFILE}" --debug-info --root /build \
 && for recipes in /context/overlay/*/; do \
      if [ -d "${recipes}" ]; then set -- "$@" --recipes "${recipes}"; fi; \
    done \
 && if [ -d /context/sources ]; then \
      mkdir /build && cp -r /context/sources /build/ && set -- "$@" --offline; \
    fi \
 && /ftbuild/bin/ftbuild build "$@"
RUN set -- "${PYTHON}" --profile "${PROFILE}" --flavour slim --root /build --into /image \
 && for recipes in /context/overlay/*/; do \
      if [ -d "${recipes}" ]; then set -- "$@" --recipes "${recipes}"; fi; \
    done \
 && /ftbuild/bin/ftbuild image assemble "$@"

FROM ${BASE}
# One layer: what both builds have in common is there once, by hard links.
COPY --from=builder /image/ /
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates netbase tzdata \
      $(cat /opt/python/packages) \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old \
      /var/lib/dpkg/*-old /var/log/apt /var/log/*.log
ENV PATH="/opt/python/3.13/bin:/opt/python/3.13t/bin:${PATH}"
ENV LANG="C.UTF-8"
LABEL org.opencontainers.image.title="CPython 3.13"
LABEL org.opencontainers.image.description="CPython with and without the GIL, built from verified source"
LABEL org.opencontainers.image.version="3.13.18"
LABEL org.opencontainers.image.revision="v3.13.18"
LABEL org.opencontainers.image.source="https://www.python.org/ftp/python/3.13.18/Python-3.13.18.tar.xz"
LABEL org.opencontainers.image.licenses="PSF-2.0"
LABEL org.opencontainers.image.base.name="debian:trixie-slim"
LABEL ftbuild.flavour="slim"
CMD ["python3"]
