# Kiku in a container: docker build -t kiku . && docker run -p 8000:8000 -v kiku:/data kiku

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv --without-pip /opt/kiku
WORKDIR /src
# A layer of its own: it is made anew only when the lock changes.
COPY requirements.lock ./
RUN pip wheel --require-hashes --wheel-dir /wheels -r requirements.lock
COPY pyproject.toml README.md LICENSE alembic.ini ./
COPY migrations ./migrations
COPY app ./app
# Nothing but the locked wheels can be found; what only builds Kiku is not installed with it.
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
RUN pip wheel --no-deps --wheel-dir /wheels . && pip --python /opt/kiku install kiku

FROM python:3.13-slim
RUN groupadd --gid 10001 kiku && useradd --uid 10001 --gid kiku --home-dir /data --create-home kiku
COPY --from=build /opt/kiku /opt/kiku
ENV PATH=/opt/kiku/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    KIKU_DATABASE_URL=sqlite:////data/kiku.db
# By number: Kubernetes' runAsNonRoot cannot tell from a name.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# An http_proxy of the environment is no way to this very container.
HEALTHCHECK --interval=30s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8000/health/live', timeout=2)"]
# Migrating an up-to-date database changes nothing. `exec` lets the server hear SIGTERM itself.
CMD ["sh", "-c", "kiku migrate && exec kiku serve --host 0.0.0.0 --port 8000"]
