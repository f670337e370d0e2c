# The service in a container: without root, and with nothing to write but /var/lib/newsletter.
FROM python:3.13-slim AS build
WORKDIR /build
RUN pip install --no-cache-dir "uv==0.13.9" && uv venv /opt/newsletter
COPY pyproject.toml requirements.lock README.md ./
COPY config config
COPY templates templates
COPY subscribers subscribers
COPY newsletter newsletter
# The lock pins every package; uv compares each download with its hashes.
RUN uv pip install --python /opt/newsletter/bin/python --no-cache --compile-bytecode \
    --constraint requirements.lock ".[oidc]"

FROM python:3.13-slim
# Of a number, so that a platform can see that it is not root.
RUN useradd --system --uid 10001 --home-dir /var/lib/newsletter --create-home newsletter
COPY --from=build /opt/newsletter /opt/newsletter
ENV PATH=/opt/newsletter/bin:$PATH \
    NEWSLETTER_CONFIG=/etc/newsletter \
    NEWSLETTER_VAR=/var/lib/newsletter \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/newsletter
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["newsletter"]
CMD ["serve"]
